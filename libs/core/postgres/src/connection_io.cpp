// How a connection waits for the server, and what a lost one throws.
#include "connection_impl.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace tiktrend::postgres {
namespace {

using descriptor = watched_socket::descriptor;

server_error error_of(const PGresult* r) {
    const auto get = [&](int code) {
        const char* text = PQresultErrorField(r, code);
        return std::string{text ? text : ""};
    };
    return {get(PG_DIAG_SQLSTATE), get(PG_DIAG_MESSAGE_PRIMARY), get(PG_DIAG_MESSAGE_DETAIL),
            get(PG_DIAG_CONSTRAINT_NAME)};
}

} // namespace

void arm(const std::shared_ptr<watched_socket>& watch) {
    watch->timer.expires_at(watch->heard + watch->limit);
    watch->timer.async_wait([watch](const error_code& ec) {
        if (ec || !watch->active) return;
        if (watch->heard + watch->limit > std::chrono::steady_clock::now()) return arm(watch);
        watch->expired = true;
        if (watch->socket.is_open()) watch->socket.cancel();
    });
}

std::string error_text_of(const PGconn* conn) {
    std::string_view text = PQerrorMessage(conn);
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.remove_suffix(1);
    return std::string{text};
}

void connection::impl::throw_lost() {
    if (!conn) throw system_error(errc::connection_lost, "closed by this side");
    throw system_error(PQstatus(conn) == CONNECTION_BAD ? errc::connection_lost : errc::protocol_error,
                       error_text_of(conn));
}

task<void> connection::impl::wait(descriptor::wait_type type) {
    error_code ec;
    co_await watch->socket.async_wait(type, asio::redirect_error(asio::use_awaitable, ec));
    if (watch->expired) throw system_error(errc::timed_out);
    if (!conn) throw_lost(); // closed under us
    if (ec) throw system_error(ec);
}

task<void> connection::impl::wait_read_or_write() {
    using namespace asio::experimental::awaitable_operators;
    try {
        co_await (wait(descriptor::wait_read) || wait(descriptor::wait_write));
    } catch (const asio::multiple_exceptions& both) {
        std::rethrow_exception(both.first_exception());
    }
    watch->heard = std::chrono::steady_clock::now();
}

task<void> connection::impl::flush() {
    for (;;) {
        const int rest = PQflush(conn);
        if (rest == 0) co_return;
        if (rest < 0) throw_lost();
        co_await wait_read_or_write();
        if (!PQconsumeInput(conn)) throw_lost();
    }
}

task<result_ptr> connection::impl::next_result() {
    while (PQisBusy(conn)) {
        co_await wait(descriptor::wait_read);
        watch->heard = std::chrono::steady_clock::now();
        if (!PQconsumeInput(conn)) {
            // The last words of a server that ends the session (57P01 …) may be read already.
            if (PQisBusy(conn)) throw_lost();
        }
    }
    co_return result_ptr{PQgetResult(conn), &PQclear};
}

void connection::impl::note_error(const PGresult* r, std::optional<server_error>& first) {
    if (!PQresultErrorField(r, PG_DIAG_SQLSTATE)) throw_lost_with(first);
    if (!first) first.emplace(error_of(r));
}

void connection::impl::throw_lost_with(const std::optional<server_error>& first) {
    if (first && first->code() == errc::connection_lost) throw *first;
    throw_lost();
}

} // namespace tiktrend::postgres
