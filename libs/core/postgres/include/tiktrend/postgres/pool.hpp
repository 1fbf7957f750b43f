#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/postgres/connection.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace tiktrend::postgres {

struct pool_options {
    pool_options() {}
    connection_options connection;
    std::size_t min_size = 1;       ///< kept open while the server is there
    std::size_t max_size = 4;       ///< each costs the server a process
    std::size_t max_waiting = 1000; ///< acquire() beyond this fails at once with tiktrend::errc::overloaded
    std::chrono::milliseconds acquire_timeout{2000}; ///< includes the time to connect
    std::chrono::milliseconds max_lifetime{30 *
                                           60'000};  ///< ± 10 % each, so that they do not all end together
    std::chrono::milliseconds max_idle{10 * 60'000}; ///< those above min_size are closed after it
    std::chrono::milliseconds check_after{
        30'000}; ///< a connection unused for longer answers a ping before it is handed out
    std::chrono::milliseconds reconnect_min{100};   ///< back-off with jitter while the server is away …
    std::chrono::milliseconds reconnect_max{5'000}; ///< … doubling up to this
    logger log;
};

class pool;
struct pool_state;
struct pool_slot;

/// A borrowed connection; goes back when destroyed. A connection that is closed, busy or in a transaction (a
/// cancelled coroutine) is dropped instead and replaced by need. Keep none over the end of the
/// pool's stop(), which closes it under you.
class lease {
public:
    lease(lease&& other) noexcept;
    lease& operator=(lease&& other) noexcept;
    ~lease();
    connection& operator*() const noexcept;
    connection* operator->() const noexcept;
    /// Closes the connection instead of giving it back.
    void discard() noexcept;

private:
    friend class pool;
    friend struct pool_state;
    lease(std::shared_ptr<pool_state> owner, pool_slot* slot) noexcept;
    std::shared_ptr<pool_state> owner_; ///< empty: moved from
    pool_slot* slot_;
};

/// Connections to one database, last used first. Owned by one executor; each thread has its own slice.
/// Life: construct, start(), use, co_await stop(). acquire() before start() or after stop():
/// tiktrend::errc::stopped.
class pool {
public:
    pool(asio::any_io_executor executor, pool_options options);
    ~pool(); ///< asserts that stop() was awaited, or start() never called
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    /// Does not wait for the server; connections are made in the background.
    void start();
    /// Refuses new leases, wakes the waiting with errc::stopped, closes what is idle, cancels connection
    /// attempts and waits for the borrowed ones at most `grace`; those still out after it are closed under
    /// their users. Ends also with the server gone.
    task<void> stop(std::chrono::milliseconds grace = std::chrono::seconds{5});

    /// Throws errc::pool_timeout (its text has the last reason why no connection could be made),
    /// tiktrend::errc::overloaded, stopped.
    task<lease> acquire();

    /// acquire() and connection::query(). A read only, or a statement that is safe to lose: nothing is
    /// repeated.
    task<rows> query(std::string_view sql, const params& values = no_params());
    /// acquire() and connection::run().
    task<std::vector<rows>> run(const batch& statements);

    /// Drops every connection: idle ones now, borrowed ones when they come back. After a failover (25006) or
    /// a DNS change.
    void recycle() noexcept;

    /// Gauges db_pool_{in_use,idle,waiting}.
    std::size_t in_use() const noexcept;
    std::size_t idle() const noexcept;
    std::size_t waiting() const noexcept;
    /// Connections ever made, and the failures to make one.
    std::uint64_t connects() const noexcept;
    std::uint64_t connect_failures() const noexcept;
    /// True if the last thing heard from the server was good.
    bool is_healthy() const noexcept;
    /// For messages, without the password.
    const std::string& description() const noexcept;
    const pool_options& options() const noexcept;

private:
    std::shared_ptr<pool_state> state_;
};

} // namespace tiktrend::postgres
