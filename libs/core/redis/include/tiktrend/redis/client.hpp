#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/redis/address.hpp>
#include <tiktrend/redis/command.hpp>
#include <tiktrend/redis/error.hpp>
#include <tiktrend/redis/reply.hpp>
#include <tiktrend/redis/script.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tiktrend::redis {

/// How a connection is made and kept.
struct client_options {
    client_options() {}
    std::string client_name;                         ///< CLIENT SETNAME; empty: unnamed
    std::chrono::milliseconds connect_timeout{2000}; ///< resolve, connect, TLS and handshake together
    std::chrono::milliseconds command_timeout{5000}; ///< longest silence while replies are awaited; the
                                                     ///< connection is dropped after it
    std::chrono::milliseconds reconnect_min{100};    ///< back-off with full jitter: 100 ms doubling …
    std::chrono::milliseconds reconnect_max{10'000}; ///< … up to 10 s, reset after 30 s of health
    std::size_t max_waiting = 100'000;               ///< commands sent or queued without a reply
    std::size_t max_unsent_bytes = 256U << 20;       ///< of commands not yet given to the socket
    std::size_t max_reply_bytes = 64U << 20;         ///< memory of one reply; protocol_error above
    bool no_evict = false;                           ///< CLIENT NO-EVICT on
    /// Waits for a connection instead of failing with not_connected (consumers; producers fail fast). Bounded
    /// by command_timeout.
    bool wait_for_connection = false;
    logger log;
};

/// One pipelined connection that reconnects by itself (Sentinel: to whoever is the master then; Cluster: one
/// to each node, and commands go by the slot of their first key, so those of one call share one slot or are
/// separate). All commands of a turn of the event loop leave in one write; replies are matched in order.
/// Owned by one executor.
///
/// Life: construct, start(), use, co_await stop(). Commands before start() or after stop() fail with
/// tiktrend::errc::stopped. Cancelling an exec() (terminal) abandons its reply; the command itself may still
/// run.
class client {
public:
    client(asio::any_io_executor executor, address where, client_options options = client_options{});
    ~client(); ///< asserts that stop() was awaited, or start() never called
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    void start();
    task<void> stop();

    /// Waits until connected, at most `limit`; throws system_error(errc::not_connected) past it, with the
    /// last cause in what().
    task<void> wait_connected(std::chrono::milliseconds limit);
    bool is_connected() const noexcept;

    /// Throws system_error with redis::errc for unavailability (server_error if the server said so); a reply
    /// of type error is returned otherwise. `c` must live until the reply is there, as in `co_await
    /// r.exec(command{"GET", key})`. To be awaited on the client's executor.
    task<reply> exec(const command& c);

    /// As exec() for several at once: one write, replies in order. Throws the first unavailability after all
    /// are answered: connection_lost if it would say "not executed" and others of them have run, or may have.
    task<std::vector<reply>> exec_all(std::span<const command> commands);

    /// The same command on every node that owns slots of a Cluster, in no order; elsewhere exec(). For what
    /// has no key (CLIENT LIST, SCAN). Throws if one of them does not answer.
    task<std::vector<reply>> exec_on_every_node(const command& c);

    /// Keys that match `pattern` (a Redis glob), on every node of a Cluster, as far as the first `most`; some
    /// may be there twice (SCAN). Throws server_error for an error reply.
    task<std::vector<std::string>> scan(std::string pattern, std::size_t most);

    /// Runs `s`: EVAL with its text the first time on a connection, which loads it, EVALSHA after that, and
    /// once more EVAL after a NOSCRIPT (SCRIPT FLUSH). Scripts run in the order of the calls, except after a
    /// NOSCRIPT: the repeated one then runs after what was sent meanwhile. Key and argument views need to
    /// live only until the first suspension. `s` must outlive the client. Cluster: while the slot of the
    /// first key is on its way to another node, the script waits, up to the command timeout (then
    /// errc::not_ready), as it may need keys of both sides.
    task<reply> eval(const script& s, std::span<const std::string_view> keys,
                     std::span<const std::string_view> args);

    const address& where() const noexcept;
    /// Times a connection was established.
    std::uint64_t connects() const noexcept;
    asio::any_io_executor get_executor() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::redis
