#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/error.hpp>
#include <tiktrend/http/headers.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::http {

/// Where an upstream is: the operator's own address, never one that a client supplied.
struct origin {
    bool tls = false;
    std::string host; ///< without brackets
    std::uint16_t port = 80;
    std::string base;      ///< path in front of every target, without '/' at its end; usually empty
    std::string authority; ///< for Host: as written, the scheme's own port left out
};
/// "https://api.example.test/v1". Nothing for user info, query, fragment, other schemes, an empty host.
std::optional<origin> parse_origin(std::string_view url);

struct upstream_options {
    upstream_options() {}
    std::string ca_file; ///< PEM; empty: the system's. Certificates and host names are always verified
    std::chrono::milliseconds connect_timeout{2000}; ///< look-up, TCP and TLS together
    std::chrono::milliseconds max_idle{30'000};      ///< a kept connection is not used again after this
    std::size_t keep = 16;                           ///< idle connections that are kept
    std::size_t max_header_bytes = 64U << 10;        ///< of an answer; bad_message above
};

struct upstream_request {
    upstream_request() {}
    std::string method = "GET";
    std::string target = "/"; ///< path and query, already encoded
    http::headers headers;    ///< end-to-end fields; Host, Content-Length and Connection are made here
    std::string body;
};

/// An answer whose head has come. Reading its body to the end gives the connection back; dropping it before
/// that closes the connection.
class upstream_answer {
public:
    virtual ~upstream_answer() = default;
    int status = 0;
    http::headers headers; ///< as they came
    /// The next piece of the body, decoded from its transfer coding; empty: the end. Throws system_error when
    /// the connection breaks before the end.
    virtual task<std::string> read() = 0;
    /// The rest. Throws system_error(errc::overloaded) above `max` bytes.
    task<std::string> read_all(std::size_t max);
};

/// An HTTP/1.1 client for one trusted server that the configuration names: another region's gateway, an
/// endpoint that writes copy. Answers come piece by piece, so that streams pass through. Nothing is retried
/// and no redirect is followed. (URLs that others supply are fetched by fetch::client.)
///
/// Owned by one executor; any number of coroutines use it. Deadlines beyond the connection's are the caller's
/// (within()). Cancellation (terminal) closes the connection.
class upstream {
public:
    upstream(asio::any_io_executor executor, origin where, upstream_options options = upstream_options{});
    ~upstream();
    upstream(const upstream&) = delete;
    upstream& operator=(const upstream&) = delete;

    /// Sends `r` and returns when the answer's head is there (1xx are skipped). The request must live until
    /// then. Throws not_connected, or system_error with Asio's and TLS's codes and
    /// boost::system::errc::bad_message for what is not HTTP; then it is unknown whether the server acted on
    /// the request.
    task<std::unique_ptr<upstream_answer>> send(const upstream_request& r);

    const origin& where() const noexcept;
    /// Closes what is idle.
    void close_idle() noexcept;

private:
    friend class exchange;
    struct impl;
    std::shared_ptr<impl> impl_;
};

/// Thrown by upstream::send() when no connection could be made: the server cannot have seen the request.
class not_connected : public system_error {
public:
    using system_error::system_error;
};

} // namespace tiktrend::http
