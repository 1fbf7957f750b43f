#include "conninfo.hpp"

#include <tiktrend/postgres/connection.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <cassert>
#include <optional>
#include <unordered_map>

namespace tiktrend::postgres {
namespace {

using descriptor = asio::posix::stream_descriptor;
using result_ptr = std::unique_ptr<PGresult, decltype(&PQclear)>;

std::string trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.remove_suffix(1);
    return std::string{text};
}

/// The socket's readiness and the deadline of the operation in progress. Shared with the timer's handler,
/// which may run after the connection is gone.
struct watched_socket {
    explicit watched_socket(const asio::any_io_executor& executor) : socket{executor}, timer{executor} {}
    descriptor socket; ///< borrowed from libpq: always released, never closed
    asio::steady_timer timer;
    std::chrono::milliseconds limit{0};
    steady_time heard; ///< when the server was last heard of, or the operation began
    bool active = false;
    bool expired = false;

    void detach() noexcept {
        if (socket.is_open()) socket.release();
    }
};

/// Ends the wait when the server has been silent for the limit. One timer serves the whole operation: when it
/// fires early because something was heard meanwhile, it is set again.
void arm(const std::shared_ptr<watched_socket>& watch) {
    watch->timer.expires_at(watch->heard + watch->limit);
    watch->timer.async_wait([watch](const error_code& ec) {
        if (ec || !watch->active) return;
        if (watch->heard + watch->limit > std::chrono::steady_clock::now()) return arm(watch);
        watch->expired = true;
        if (watch->socket.is_open()) watch->socket.cancel();
    });
}

struct string_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
};

} // namespace

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

struct connection::impl {
    /// What was sent and will be answered, in order.
    enum class expected { prepared, answer, sync };

    /// Marks the connection as busy; closes it unless the operation came to its regular end, since the state
    /// of a protocol that was left in the middle is unknown (cancellation, deadline, protocol error).
    class operation {
    public:
        operation(impl& c, std::chrono::milliseconds limit) : c_{c} {
            assert(!c.busy && "one operation at a time");
            c.busy = true;
            auto& w = *c.watch;
            w.expired = false;
            w.active = true;
            w.limit = limit;
            w.heard = std::chrono::steady_clock::now();
            if (limit.count() > 0) arm(c.watch);
        }
        operation(const operation&) = delete;
        operation& operator=(const operation&) = delete;
        ~operation() {
            c_.busy = false;
            c_.watch->active = false;
            c_.watch->timer.cancel();
            if (!ended_) c_.close();
        }
        void end() noexcept { ended_ = true; }

    private:
        impl& c_;
        bool ended_ = false;
    };

    impl(asio::any_io_executor e, connection_options o)
        : executor{std::move(e)}, options{std::move(o)}, watch{std::make_shared<watched_socket>(executor)} {}
    ~impl() { close(); }

    void close() noexcept {
        watch->detach();
        PQfinish(conn);
        conn = nullptr;
        prepared.clear();
    }

    [[noreturn]] void throw_lost() {
        if (!conn) throw system_error(errc::connection_lost, "closed by this side");
        throw system_error(PQstatus(conn) == CONNECTION_BAD ? errc::connection_lost : errc::protocol_error,
                           trimmed(PQerrorMessage(conn)));
    }

    void require_open() const {
        if (!conn) throw system_error(errc::not_connected);
    }

    task<void> wait(descriptor::wait_type type) {
        error_code ec;
        co_await watch->socket.async_wait(type, asio::redirect_error(asio::use_awaitable, ec));
        if (watch->expired) throw system_error(errc::timed_out);
        if (!conn) throw_lost(); // closed under us
        if (ec) throw system_error(ec);
    }

    /// While a large request leaves, the server may already answer; not reading then would block both sides.
    task<void> wait_read_or_write() {
        using namespace asio::experimental::awaitable_operators;
        try {
            co_await (wait(descriptor::wait_read) || wait(descriptor::wait_write));
        } catch (const asio::multiple_exceptions& both) {
            std::rethrow_exception(both.first_exception());
        }
        watch->heard = std::chrono::steady_clock::now();
    }

    task<void> flush() {
        for (;;) {
            const int rest = PQflush(conn);
            if (rest == 0) co_return;
            if (rest < 0) throw_lost();
            co_await wait_read_or_write();
            if (!PQconsumeInput(conn)) throw_lost();
        }
    }

    task<result_ptr> next_result() {
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

    static server_error error_of(const PGresult* r) {
        const auto get = [&](int code) {
            const char* text = PQresultErrorField(r, code);
            return std::string{text ? text : ""};
        };
        return {get(PG_DIAG_SQLSTATE), get(PG_DIAG_MESSAGE_PRIMARY), get(PG_DIAG_MESSAGE_DETAIL),
                get(PG_DIAG_CONSTRAINT_NAME)};
    }

    /// Keeps the first error of the server; a failure without SQLSTATE is libpq's own: the connection is
    /// gone.
    void note_error(const PGresult* r, std::optional<server_error>& first) {
        if (!PQresultErrorField(r, PG_DIAG_SQLSTATE)) throw_lost_with(first);
        if (!first) first.emplace(error_of(r));
    }

    [[noreturn]] void throw_lost_with(const std::optional<server_error>& first) {
        if (first && first->code() == errc::connection_lost) throw *first;
        throw_lost();
    }

    /// A batch on its way.
    struct flight {
        std::vector<expected> order;
        std::vector<std::string_view> preparing; ///< SQL of the Prepare messages sent, in order
        std::size_t section = 0;                 ///< where the current transaction begins in `preparing`
    };

    void send_step(const batch::step& s, flight& f) {
        if (s.sql.empty()) {
            if (!PQpipelineSync(conn)) throw_lost();
            f.order.push_back(expected::sync);
            f.section = f.preparing.size();
            return;
        }
        const auto& values = s.values;
        scratch_values.clear();
        scratch_lengths.clear();
        scratch_formats.clear();
        scratch_types.clear();
        for (const auto& v : values.values_) {
            scratch_values.push_back(values.data(v));
            scratch_lengths.push_back(v.length);
            scratch_formats.push_back(v.format);
            scratch_types.push_back(v.oid);
        }
        const int n = static_cast<int>(values.size());
        const auto* name = values.plans_each_time_ ? nullptr : statement_name(s.sql, n, f);
        const int sent = name ? PQsendQueryPrepared(conn, name, n, scratch_values.data(),
                                                    scratch_lengths.data(), scratch_formats.data(), 0)
                              : PQsendQueryParams(conn, std::string{s.sql}.c_str(), n, scratch_types.data(),
                                                  scratch_values.data(), scratch_lengths.data(),
                                                  scratch_formats.data(), 0);
        if (!sent) throw_lost();
        f.order.push_back(expected::answer);
    }

    /// The name under which the statement is, or is about to be, prepared; null: unnamed.
    const char* statement_name(std::string_view sql, int parameters, flight& f) {
        if (options.prepare == prepare_mode::off || pooler_found) return nullptr;
        if (const auto it = prepared.find(sql); it != prepared.end()) {
            // What an earlier transaction of this batch prepares is there only if that one does not fail.
            const auto earlier = f.preparing.begin() + static_cast<std::ptrdiff_t>(f.section);
            return std::find(f.preparing.begin(), earlier, sql) == earlier ? it->second.c_str() : nullptr;
        }
        if (prepared.size() >= options.max_prepared) return nullptr;
        const auto it = prepared.emplace(sql, fmt::format("tt{}", ++last_name)).first;
        if (!PQsendPrepare(conn, it->second.c_str(), it->first.c_str(), parameters, scratch_types.data()))
            throw_lost();
        f.order.push_back(expected::prepared);
        f.preparing.push_back(it->first);
        return it->second.c_str();
    }

    /// Reads the answer to one Prepare or one statement up to libpq's closing NULL.
    task<rows> read_answer(bool& good, std::optional<server_error>& first) {
        rows out;
        good = false;
        for (;;) {
            auto r = co_await next_result();
            if (!r) {
                // NULL for ever is how libpq tells that the connection died before this answer.
                if (PQstatus(conn) == CONNECTION_BAD) throw_lost_with(first);
                co_return out;
            }
            switch (PQresultStatus(r.get())) {
            case PGRES_COMMAND_OK:
            case PGRES_TUPLES_OK:
            case PGRES_EMPTY_QUERY:
                good = true;
                out = rows{r.release()};
                break;
            case PGRES_PIPELINE_ABORTED:
                break;
            case PGRES_FATAL_ERROR:
                note_error(r.get(), first);
                break;
            default:
                throw system_error(errc::protocol_error, PQresStatus(PQresultStatus(r.get())));
            }
        }
    }

    task<void> read_sync(std::optional<server_error>& first) {
        bool failed = false;
        for (;;) {
            const auto r = co_await next_result();
            if (!r) {
                if (PQstatus(conn) == CONNECTION_BAD) throw_lost_with(first);
                if (!std::exchange(failed, false))
                    throw system_error(errc::protocol_error, "no answer to a sync");
                continue;
            }
            const auto status = PQresultStatus(r.get());
            if (status == PGRES_PIPELINE_SYNC) co_return;
            // An error at commit (deferred constraint, serialization failure); its NULL follows, then the
            // sync.
            if (status != PGRES_FATAL_ERROR) throw system_error(errc::protocol_error, PQresStatus(status));
            note_error(r.get(), first);
            failed = true;
        }
    }

    struct outcome {
        std::vector<rows> answers;
        std::optional<server_error> error;
    };

    task<outcome> exchange(const batch::step* steps, std::size_t count, std::size_t statements,
                           const std::function<void()>& sent = {}) {
        require_open();
        operation op{*this, options.response_timeout};
        if (!PQenterPipelineMode(conn)) throw_lost();
        flight f;
        f.order.reserve(count + 2);
        for (std::size_t i = 0; i < count; ++i)
            send_step(steps[i], f);
        if (f.order.empty() || f.order.back() != expected::sync) send_step({}, f);
        co_await flush();
        if (sent) sent();

        outcome out;
        out.answers.reserve(statements);
        auto next_preparing = f.preparing.begin();
        for (const auto what : f.order) {
            bool good = false;
            switch (what) {
            case expected::sync:
                co_await read_sync(out.error);
                break;
            case expected::answer:
                out.answers.push_back(co_await read_answer(good, out.error));
                break;
            case expected::prepared: {
                const auto sql = *next_preparing++;
                co_await read_answer(good, out.error);
                if (!good) prepared.erase(prepared.find(sql));
                break;
            }
            }
        }
        if (!PQexitPipelineMode(conn)) throw_lost();
        op.end();
        if (out.error) after_error(*out.error);
        co_return out;
    }

    void after_error(const server_error& e) {
        if (e.sqlstate() == "26000" || e.sqlstate() == "42P05") {
            pooler_found = true;
            prepared.clear();
        }
        // 0A000: "cached plan must not change result type" after a migration. New connections plan anew.
        if (e.code() == errc::connection_lost || e.code() == errc::read_only || e.sqlstate() == "0A000")
            close();
    }

    asio::any_io_executor executor;
    connection_options options;
    std::shared_ptr<watched_socket> watch;
    PGconn* conn = nullptr;
    bool busy = false;
    bool pooler_found = false;
    std::unordered_map<std::string, std::string, string_hash, std::equal_to<>> prepared;
    std::uint64_t last_name = 0;

    std::vector<const char*> scratch_values;
    std::vector<int> scratch_lengths, scratch_formats;
    std::vector<Oid> scratch_types;
};

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

    const auto left = std::max(deadline - std::chrono::steady_clock::now(), steady_time::duration{0});
    impl::operation op{c, std::chrono::ceil<std::chrono::milliseconds>(left)};
    c.conn = PQconnectStartParams(keywords.data(), values.data(), 1);
    if (!c.conn) throw std::bad_alloc{};
    const auto refuse = [&](std::string why) -> system_error {
        return {errc::not_connected, std::move(why)};
    };
    if (PQstatus(c.conn) == CONNECTION_BAD) throw refuse(trimmed(PQerrorMessage(c.conn)));
    PQsetNoticeProcessor(c.conn, [](void*, const char*) {}, nullptr);

    auto state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) throw refuse(trimmed(PQerrorMessage(c.conn)));
        // Each step may go on with another socket, perhaps under the same number: watch it anew each time.
        c.watch->socket.assign(PQsocket(c.conn));
        try {
            co_await c.wait(state == PGRES_POLLING_READING ? descriptor::wait_read : descriptor::wait_write);
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
