#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/fetch/address_guard.hpp>
#include <tiktrend/fetch/cookie_jar.hpp>
#include <tiktrend/fetch/failure.hpp>
#include <tiktrend/fetch/url.hpp>
#include <tiktrend/fetch/user_agent.hpp>

#include <boost/system/result.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::fetch {

struct header {
    std::string name;
    std::string value;
    bool is_secret =
        false; ///< not sent on when a redirect changes the origin, as Authorization and Cookie always are
};

struct request {
    request() {}
    explicit request(std::string u) : url{std::move(u)} {}
    std::string url;
    std::string method = "GET";
    std::vector<header> headers;
    std::string body; ///< sent when not empty, and with POST
    /// A redirect that would send the body on to another origin is then not followed: it is the response.
    bool has_secret_body = false;
    /// Set: the first host must pass (host_not_allowed), and a redirect to a host that does not is not
    /// followed: the redirect itself is the response, for the caller's own rules to name.
    std::function<bool(std::string_view host)> allow_host;
    /// Asked before a redirect that allow_host let pass is followed, e.g. what the new host's robots.txt
    /// says. False: not followed, the redirect itself is the response. What it throws comes out of fetch().
    std::function<task<bool>(const fetch::url& next)> may_follow;
    /// Cookies of the jar are sent by the rules of RFC 6265 (domain, path, Secure) and those of each hop are
    /// kept in it. Null: none are sent but a Cookie header, none are kept. Not for two fetches at once.
    std::shared_ptr<cookie_jar> cookies;
    /// "http://[user:password@]host:port" or "socks5h://host:port": every hop goes through it. Only ever from
    /// the operator: the guard still checks the URL, but the address is the proxy's to look up and to check.
    std::string proxy;
    std::vector<std::string> secrets; ///< masked wherever they would appear in a failure or a log line
    std::size_t max_body_bytes = 0;   ///< decoded; 0: the client's default
    bool cut_body =
        false; ///< a longer body is cut there (response::is_cut) instead of a body_too_large failure
    std::chrono::milliseconds total_timeout{
        0}; ///< all hops together, waiting for a slot not counted; 0: the client's default
};

struct response {
    int status = 0;
    std::vector<header> headers;                  ///< names in lower case, in order
    std::string body;                             ///< decoded
    std::string url;                              ///< after redirects
    std::vector<std::string> redirects;           ///< URLs left behind, first one first
    std::uint64_t bytes_received = 0;             ///< body as transferred, last hop
    bool is_cut = false;                          ///< request::cut_body: there was more
    bool suspicious_ratio = false;                ///< over 200:1 after the first decoded MiB
    std::chrono::microseconds connect_time{0};    ///< of the last hop; 0 on a reused connection
    std::chrono::microseconds first_byte_time{0}; ///< from the start of the last hop
    std::chrono::microseconds total_time{0};      ///< all hops
    int http_version = 11;                        ///< 10, 11, 20

    /// First value of a header, or empty. `name` in lower case.
    std::string_view header_value(std::string_view name) const noexcept;
    bool has_header(std::string_view name) const noexcept;
};

/// Thrown only by outcome::value() on a failure.
class fetch_error : public std::runtime_error {
public:
    explicit fetch_error(failure f) : std::runtime_error{f.message()}, failure_{std::move(f)} {}
    const failure& why() const noexcept { return failure_; }

private:
    failure failure_;
};
[[noreturn]] void throw_exception_from_error(const failure& f, const boost::source_location&);

using outcome = boost::system::result<response, failure>;

struct client_options {
    client_options() {}
    std::string user_agent{product_name};
    std::size_t max_body_bytes = 8U << 20;     ///< decoded; a hard error above, never a silent cut
    std::size_t max_header_bytes = 256U << 10; ///< of one hop
    int max_redirects = 5;
    std::chrono::milliseconds connect_timeout{10'000};    ///< look-up, TCP and TLS
    std::chrono::milliseconds first_byte_timeout{20'000}; ///< from the sent request to the first header byte
    std::chrono::milliseconds total_timeout{60'000};
    std::size_t low_speed_bytes = 1024;               ///< fewer bytes a second …
    std::chrono::milliseconds low_speed_time{15'000}; ///< … over this long end the transfer
    std::size_t max_per_host = 8;                     ///< transfers at once to one origin
    std::size_t max_total = 64;                       ///< transfers at once
    std::size_t max_waiting = 10'000;                 ///< fetches that wait for a slot; overloaded above
    std::chrono::milliseconds slot_timeout{60'000};   ///< longest wait for a slot
    std::chrono::seconds dns_cache{30};
    std::string ca_file;              ///< PEM; empty: the system's. Certificates are always verified
    std::vector<std::string> resolve; ///< "HOST:PORT:ADDRESS[,ADDRESS…]" instead of a look-up; still guarded
    std::vector<std::string> connect_to; ///< "HOST:PORT:HOST:PORT": who asks the first is connected to the
                                         ///< second, where the guard decides
    address_guard guard;
    logger log;
};

/// Counted since construction; for metrics.
struct client_stats {
    std::uint64_t requests = 0; ///< hops sent or tried
    std::uint64_t redirects = 0;
    std::uint64_t responses = 0;                         ///< fetches that gave a response
    std::array<std::uint64_t, failure_kinds> failures{}; ///< by failure_kind
    std::uint64_t bytes_received = 0;                    ///< compressed bodies
    std::uint64_t bytes_decoded = 0;
    std::uint64_t connections = 0; ///< opened
    std::uint64_t suspicious_ratios = 0;
    std::size_t in_flight = 0;
    std::size_t waiting = 0;
};

/// HTTP client of one executor for URLs that others supply: libcurl's multi interface, HTTP/1.1 and 2,
/// connections kept per host, and the address guard before, at and after each connect. Uses no proxy but
/// request::proxy, whatever the environment says. Uploads to fixed endpoints go through a client of their
/// own (s3_client.hpp).
///
/// Any number of coroutines of the executor share one client.
class client {
public:
    explicit client(asio::any_io_executor executor, client_options options = client_options{});
    ~client(); ///< asserts that nothing is in flight
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// One fetch with its redirects. The request must live until it returns. Cancellation (terminal) closes
    /// the transfer and throws system_error(operation_aborted); everything else is an outcome.
    task<outcome> fetch(const request& r);

    /// Ends every fetch with failure_kind::cancelled and returns when none is left. Later fetches fail at
    /// once.
    task<void> stop();

    client_stats stats() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::fetch
