#include "connection_impl.hpp"
#include "conninfo.hpp"

#include <tiktrend/postgres/connection.hpp>

#include <poll.h>

#include <algorithm>
#include <cassert>

namespace tiktrend::postgres {

batch& batch::add(std::string_view sql, params p) {
    assert(!sql.empty());
    steps_.push_back({sql, std::move(p)});
    ++statements_;
    return *this;
}

batch& batch::sync() {
    steps_.push_back({});
    return *this;
}

batch& batch::on_sent(std::function<void()> call) {
    sent_ = std::move(call);
    return *this;
}

connection::connection(asio::any_io_executor executor, connection_options options)
    : impl_{std::make_unique<impl>(std::move(executor), std::move(options))} {}

connection::~connection() = default;

task<void> connection::connect() {
    auto& c = *impl_;
    c.close();
    const auto deadline = std::chrono::steady_clock::now() + c.options.connect_timeout;
    detail::conninfo info;
    try {
        info = co_await until(deadline, detail::prepare_conninfo(c.options));
    } catch (const system_error& e) {
        if (e.code() == tiktrend::errc::timed_out)
            throw system_error(errc::not_connected, "resolving took too long");
        throw;
    }
    std::vector<const char*> keywords, values;
    for (const auto& [k, v] : info) {
        keywords.push_back(k.c_str());
        values.push_back(v.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);

    // At least a moment: zero would be no limit.
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    impl::operation op{c, std::max(left, std::chrono::milliseconds{1})};
    c.conn = PQconnectStartParams(keywords.data(), values.data(), 1);
    if (!c.conn) throw std::bad_alloc{};
    const auto refuse = [&](std::string why) -> system_error {
        return {errc::not_connected, std::move(why)};
    };
    if (PQstatus(c.conn) == CONNECTION_BAD) throw refuse(error_text_of(c.conn));
    PQsetNoticeProcessor(c.conn, [](void*, const char*) {}, nullptr);

    auto state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) throw refuse(error_text_of(c.conn));
        // Each step may go on with another socket, perhaps under the same number: watch it anew each time.
        c.watch->socket.assign(PQsocket(c.conn));
        try {
            co_await c.wait(state == PGRES_POLLING_READING ? watched_socket::descriptor::wait_read
                                                           : watched_socket::descriptor::wait_write);
        } catch (const system_error& e) {
            if (e.code() == errc::timed_out) throw refuse("connecting took too long");
            throw;
        }
        c.watch->detach();
        state = PQconnectPoll(c.conn);
    }
    PQsetnonblocking(c.conn, 1);
    c.watch->socket.assign(PQsocket(c.conn));
    op.end();
}

void connection::close() noexcept {
    impl_->close();
}
bool connection::is_open() const noexcept {
    return impl_->conn && PQstatus(impl_->conn) == CONNECTION_OK;
}

bool connection::is_idle() const noexcept {
    return is_open() && !impl_->busy && PQtransactionStatus(impl_->conn) == PQTRANS_IDLE;
}

bool connection::looks_alive() const noexcept {
    if (!is_open()) return false;
    pollfd p{PQsocket(impl_->conn), POLLIN, 0};
    return ::poll(&p, 1, 0) == 0;
}

task<rows> connection::query(std::string_view sql, const params& values) {
    batch::step step{sql, values};
    for (bool again = true;; again = false) {
        auto out = co_await impl_->exchange(&step, 1, 1);
        if (!out.error) co_return std::move(out.answers.front());
        // The pooler's fault (see classify): the statement did not run, and now goes unnamed.
        if (again && is_idle() && impl_->pooler_found && out.error->code() == errc::conflict &&
            out.error->sqlstate() != "40001" && out.error->sqlstate() != "40P01")
            continue;
        throw *out.error;
    }
}

task<std::vector<rows>> connection::run(const batch& statements) {
    const auto& steps = statements.steps_;
    auto out = co_await impl_->exchange(steps.data(), steps.size(), statements.statements_, statements.sent_);
    if (out.error) throw *out.error;
    co_return std::move(out.answers);
}

task<void> connection::execute(std::string_view script) {
    auto& c = *impl_;
    c.require_open();
    impl::operation op{c, c.options.response_timeout};
    if (!PQsendQuery(c.conn, std::string{script}.c_str())) c.throw_lost();
    co_await c.flush();
    bool good = false;
    std::optional<server_error> error;
    co_await c.read_answer(good, error);
    op.end();
    if (error) {
        c.after_error(*error);
        throw *error;
    }
}

int connection::backend_pid() const noexcept {
    return impl_->conn ? PQbackendPID(impl_->conn) : 0;
}
int connection::server_version() const noexcept {
    return impl_->conn ? PQserverVersion(impl_->conn) : 0;
}
std::size_t connection::prepared_statements() const noexcept {
    return impl_->prepared.size();
}
const connection_options& connection::options() const noexcept {
    return impl_->options;
}

} // namespace tiktrend::postgres
