#pragma once
#include "watched_socket.hpp"

#include <tiktrend/postgres/connection.hpp>

#include <libpq-fe.h>

#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tiktrend::postgres {

using result_ptr = std::unique_ptr<PGresult, decltype(&PQclear)>;

/// libpq's text of an error, without the line's end.
std::string error_text_of(const PGconn* conn);

/// For look-ups by string_view.
struct string_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
};

/// The libpq connection behind a connection, and what is known of its session. connection.cpp opens it,
/// connection_io.cpp moves bytes, connection_exchange.cpp speaks the protocol of a batch.
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

    [[noreturn]] void throw_lost();
    void require_open() const {
        if (!conn) throw system_error(errc::not_connected);
    }

    task<void> wait(watched_socket::descriptor::wait_type type);
    /// While a large request leaves, the server may already answer; not reading then would block both sides.
    task<void> wait_read_or_write();
    task<void> flush();
    task<result_ptr> next_result();

    /// Keeps the first error of the server; a failure without SQLSTATE is libpq's own: the connection is
    /// gone.
    void note_error(const PGresult* r, std::optional<server_error>& first);
    [[noreturn]] void throw_lost_with(const std::optional<server_error>& first);

    /// A batch on its way.
    struct flight {
        std::vector<expected> order;
        std::vector<std::string_view> preparing; ///< SQL of the Prepare messages sent, in order
        std::size_t section = 0;                 ///< where the current transaction begins in `preparing`
    };

    void send_step(const batch::step& s, flight& f);
    /// The name under which the statement is, or is about to be, prepared; null: unnamed.
    const char* statement_name(std::string_view sql, int parameters, flight& f);
    /// Reads the answer to one Prepare or one statement up to libpq's closing NULL.
    task<rows> read_answer(bool& good, std::optional<server_error>& first);
    task<void> read_sync(std::optional<server_error>& first);

    struct outcome {
        std::vector<rows> answers;
        std::optional<server_error> error;
    };
    task<outcome> exchange(const batch::step* steps, std::size_t count, std::size_t statements,
                           const std::function<void()>& sent = {});
    void after_error(const server_error& e);

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

} // namespace tiktrend::postgres
