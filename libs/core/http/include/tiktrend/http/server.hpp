#pragma once
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/certificates.hpp>
#include <tiktrend/http/router.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tiktrend::http {

/// Limits and deadlines of ops.md section 4; each is answered as its line says. Deadlines are checked by one
/// clock tick a server, at most 250 ms apart, so they may fire that much late.
struct server_options {
    server_options() {}
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: a free one
    bool reuse_port = false; ///< SO_REUSEPORT: one listener a thread
    int backlog = 1024;
    std::size_t max_target_bytes = 8U << 10;  ///< 414 above
    std::size_t max_header_bytes = 16U << 10; ///< 431 above; names, values and line ends of all fields
    std::size_t max_header_fields = 100;      ///< 431 above
    std::size_t max_body_bytes = 1U << 20;    ///< 413 above
    /// Of all bodies that are being read or worked on; a request that goes beyond is answered 503. Bodies are
    /// read before anybody knows who sends them, so this bounds what strangers can make the server hold.
    std::size_t max_bodies_bytes = 32U << 20;
    std::chrono::milliseconds header_timeout{
        10'000}; ///< from the first byte to the end of the header, absolute: 408
    std::chrono::milliseconds body_timeout{30'000};   ///< whole body: 408
    std::size_t body_min_bytes_per_second = 1024;     ///< slower than this on the average: 408; 0: any rate
    std::chrono::milliseconds body_rate_grace{5'000}; ///< how long a body may be slower than that
    std::chrono::milliseconds idle_timeout{75'000};   ///< keep-alive; longer than a load balancer's 60 s
    std::chrono::milliseconds handler_timeout{
        30'000}; ///< 504, and the handler is cancelled; streams are not bound by it
    /// A client that takes less than 64 KiB in this time, while more waits to be sent, is cut off.
    std::chrono::milliseconds write_timeout{30'000};
    std::chrono::milliseconds drain_idle_grace{
        1'000}; ///< a drain closes connections that were idle for this long
    std::chrono::milliseconds linger_timeout{
        2'000};                           ///< how long to wait for the client's end after ours was closed
    std::size_t max_connections = 10'000; ///< further ones are closed at accept
    std::size_t max_connections_per_address =
        100;                        ///< of the client (proxy_protocol); a /64 is one; 0: no limit
    std::size_t max_pipelined = 16; ///< answers gathered into one write when requests came pipelined
    /// Set: connections speak TLS 1.2 or 1.3. Replaced certificates count for connections that come later.
    std::shared_ptr<const certificates> tls;
    /// Every connection begins with a header of the PROXY protocol, version 2, which says who the client is;
    /// connections without one, and those that do not come from trusted_proxies, are closed.
    bool proxy_protocol = false;
    /// CIDR blocks ("10.0.0.0/8", "::1/128", plain addresses) whose X-Forwarded-For, Forwarded and
    /// X-Request-Id are believed. The server's constructor throws std::invalid_argument for a malformed one.
    std::vector<std::string> trusted_proxies;
    /// Called once per response, when its last byte was given to the connection; for access log and metrics.
    struct finished {
        const request& req;
        int status;
        const headers& answer;                       ///< the response's own fields
        std::uint64_t bytes_out;                     ///< head and body
        std::chrono::steady_clock::duration elapsed; ///< from the end of the request's header
    };
    std::function<void(const finished&)> on_finished;
    logger log;
};

/// An HTTP/1.1 server on one executor: keep-alive, pipelining, chunked requests, deadlines, draining. Several
/// servers with reuse_port share one port, one a thread. Errors that the server finds itself (limits, syntax,
/// framing that could be read two ways) are answered with problem+json and close the connection.
class server {
public:
    server(asio::any_io_executor executor, std::shared_ptr<const router> routes, server_options options);
    ~server(); ///< asserts that stop() was awaited
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Binds and listens; throws system_error (address in use …). Requests are served from here on.
    void start();
    std::uint16_t port() const noexcept;

    /// Phase one of a drain: answers go on, each with Connection: close; idle connections are closed once
    /// they were idle for drain_idle_grace, so that a request that is on its way is still answered; still
    /// accepting.
    void begin_drain();
    /// Stops accepting (what the kernel had accepted is served), waits for requests in flight until
    /// `deadline`, cuts off the rest, returns when nothing is left. Calling it twice, or before start(), is
    /// fine.
    task<void> stop(std::chrono::steady_clock::time_point deadline);

    std::size_t connections() const noexcept;
    std::size_t
    requests_in_flight() const noexcept; ///< header read, response not yet written; streams included

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::http
