#pragma once
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/router.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tiktrend::http {

/// Limits and deadlines of ops.md section 4; each is answered as its line says.
struct server_options {
    server_options() {}
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;                          ///< 0: a free one
    bool reuse_port = false;                         ///< SO_REUSEPORT: one listener a thread
    int backlog = 1024;
    std::size_t max_target_bytes = 8U << 10;         ///< 414 above
    std::size_t max_header_bytes = 16U << 10;        ///< 431 above
    std::size_t max_header_fields = 100;             ///< 431 above
    std::size_t max_body_bytes = 1U << 20;           ///< 413 above
    std::chrono::milliseconds header_timeout{10'000};  ///< from the first byte to the end of the header, absolute: 408
    std::chrono::milliseconds body_timeout{30'000};    ///< whole body: 408
    std::size_t body_min_bytes_per_second = 1024;    ///< slower after 5 s: 408
    std::chrono::milliseconds idle_timeout{75'000};    ///< keep-alive; longer than a load balancer's 60 s
    std::chrono::milliseconds handler_timeout{30'000}; ///< 504
    std::chrono::milliseconds write_timeout{30'000};   ///< a client that does not read is cut off
    std::size_t max_connections = 10'000;            ///< further ones are closed at accept
    std::size_t max_connections_per_address = 100;   ///< 0: no limit
    std::size_t max_pipelined = 16;                  ///< requests read ahead on one connection
    /// Called after each response was written, for access log and metrics.
    struct finished {
        const request& req;
        int status;
        std::uint64_t bytes_out;
        std::chrono::steady_clock::duration elapsed;
    };
    std::function<void(const finished&)> on_finished;
    logger log;
};

/// An HTTP/1.1 server on one executor: keep-alive, pipelining, chunked requests, deadlines, draining. Several servers with
/// reuse_port share one port, one a thread.
class server {
public:
    server(asio::any_io_executor executor, std::shared_ptr<const router> routes, server_options options);
    ~server(); ///< asserts that stop() was awaited
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Binds and listens; throws system_error (address in use …). Requests are served from here on.
    void start();
    std::uint16_t port() const noexcept;

    /// Phase one of a drain: answers go on, each with Connection: close; idle connections are closed; still accepting.
    void begin_drain();
    /// Stops accepting, waits for requests in flight until `deadline`, cuts off the rest, returns when nothing is left.
    task<void> stop(std::chrono::steady_clock::time_point deadline);

    std::size_t connections() const noexcept;
    std::size_t requests_in_flight() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::http
