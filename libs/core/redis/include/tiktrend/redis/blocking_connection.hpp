#pragma once
#include <tiktrend/redis/client.hpp>

#include <utility>

namespace tiktrend::redis {

/// A connection for one blocking command at a time (BZPOPMIN, XREAD BLOCK): never shared with other commands.
/// Sentinel: connected to the master. Cluster: to the node that owns the command's first key; when the slot
/// moves, exec() fails with not_ready and the next one finds the new node. A watchdog drops the connection
/// when the reply is `grace` later than the command's own timeout (half-open TCP).
class blocking_connection {
public:
    blocking_connection(asio::any_io_executor executor, address where,
                        client_options options = client_options{});
    ~blocking_connection();
    blocking_connection(const blocking_connection&) = delete;
    blocking_connection& operator=(const blocking_connection&) = delete;

    /// Sends `c`, whose own timeout is `block`, connecting first if needed (with the client's back-off
    /// between attempts). Throws system_error as client::exec(). Cancelling it (terminal) closes the
    /// connection, so that the server forgets the wait and no element is popped for nobody.
    task<reply> exec(const command& c, std::chrono::milliseconds block,
                     std::chrono::milliseconds grace = std::chrono::milliseconds{1000});

    /// Sends `c` with `behind` after it, which the server runs at once when `c` has its reply: in time for
    /// what `c` waited for, and also when nobody is here any more to hear of it. Both replies, which may be
    /// errors. Throws as exec(); unless redis::is_certainly_not_executed(), either may have run.
    task<std::pair<reply, reply>>
    exec_with(const command& c, const command& behind, std::chrono::milliseconds block,
              std::chrono::milliseconds grace = std::chrono::milliseconds{1000});

    /// Tells the server that nothing more comes. A running exec_with() soon ends: with the replies, if its
    /// commands have run, or with errc::not_connected, and then they never run. Anything else ends as by
    /// close().
    void finish() noexcept;

    /// Closes at once; a running exec() ends with connection_lost. The next exec() connects again.
    void close() noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::redis
