#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/postgres/error.hpp>
#include <tiktrend/postgres/params.hpp>
#include <tiktrend/postgres/rows.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::postgres {

/// PG_PREPARE. Named prepared statements break behind a transaction pooler older than pgbouncer 1.21.
enum class prepare_mode {
    automatic, ///< prepare each statement at its first use; switch off for good on 26000 or 08P01 (a pooler
               ///< in between)
    off,       ///< unnamed statements only
};

struct connection_options {
    connection_options() {}
    /// libpq URL or keyword string (https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING).
    /// What it sets wins over the settings below. Host names are resolved without blocking the thread.
    std::string url;
    std::string application_name = "tiktrend";
    std::chrono::milliseconds connect_timeout{
        5000}; ///< resolve, connect, TLS and authentication, all addresses together
    std::chrono::milliseconds statement_timeout{10'000}; ///< the server ends a statement (57014); zero: none
    std::chrono::milliseconds idle_transaction_timeout{
        15'000}; ///< the server ends a session that forgot its transaction
    /// Longest silence of the server while an answer is awaited; the connection is dropped after it. Above
    /// statement_timeout.
    std::chrono::milliseconds response_timeout{15'000};
    /// Sends statement_timeout and its kin as start-up options. Off for poolers that refuse them (pgbouncer
    /// without ignore_startup_parameters); then the role's own settings rule.
    bool session_settings = true;
    prepare_mode prepare = prepare_mode::automatic;
    std::size_t max_prepared = 256; ///< further statements run unnamed
};

/// The URL or keyword string for messages: passwords become ***.
std::string describe(std::string_view url);

/// Statements that travel together: one write, answers in order
/// (https://www.postgresql.org/docs/15/libpq-pipeline-mode.html). The statements up to a sync() are one
/// transaction: the first error rolls back all of them and skips the rest up to it.
class batch {
public:
    batch& add(std::string_view sql, params p = {});
    /// Commits what was added so far; what follows is a transaction of its own and runs also if this one
    /// failed.
    batch& sync();
    /// Called once all of it is on its way to the server, which from then on carries it out even if this
    /// process dies. Must not throw. Called again when the batch is run again.
    batch& on_sent(std::function<void()> call);
    /// Statements added; sync() does not count.
    std::size_t size() const noexcept { return statements_; }

private:
    friend class connection;
    struct step {
        std::string_view sql; ///< empty: sync
        params values;
    };
    std::vector<step> steps_;
    std::size_t statements_ = 0;
    std::function<void()> sent_;
};

/// One libpq connection on one executor, one operation at a time.
///
/// An operation that is cancelled (terminal) or times out closes the connection; the server notices within a
/// second and gives the statement up (client_connection_check_interval). SQL text and parameters must live
/// until the operation ends. Errors: system_error with postgres::errc, server_error for what the server said;
/// the connection is usable after a server_error unless is_open() says otherwise.
class connection {
public:
    connection(asio::any_io_executor executor, connection_options options);
    ~connection(); ///< closes at once
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Connects, or connects again. Throws errc::not_connected with libpq's reason, errc::bad_url.
    task<void> connect();
    void close() noexcept;
    bool is_open() const noexcept;
    /// Open, and neither in an operation nor in a transaction: fit to go back to a pool.
    bool is_idle() const noexcept;
    /// False if the server has closed or said something while the connection was idle, as at its shutdown.
    /// Costs one system call, no round trip.
    bool looks_alive() const noexcept;

    /// One statement, in a transaction of its own unless one is open.
    task<rows> query(std::string_view sql, const params& values = no_params());
    /// All answers, one for each statement. The first error is thrown after the whole batch was read.
    task<std::vector<rows>> run(const batch& statements);
    /// Several statements in one string without parameters (simple protocol): migrations, BEGIN and COMMIT.
    task<void> execute(std::string_view script);

    /// Server's process id; 0 if closed.
    int backend_pid() const noexcept;
    /// e.g. 150020.
    int server_version() const noexcept;
    std::size_t prepared_statements() const noexcept;
    const connection_options& options() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::postgres
