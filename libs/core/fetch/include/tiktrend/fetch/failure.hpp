#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tiktrend::fetch {

/// Why a fetch gave no response. A response with status 500 is a response, not a failure.
enum class failure_kind : std::uint8_t {
    bad_url,            ///< not an absolute URL, user info, backslash, control characters, too long, no host
    scheme_forbidden,   ///< neither http nor https
    port_forbidden,     ///< neither 80, 443 nor a port that the operator's allow list opens
    address_forbidden,  ///< loopback, private, link-local, reserved, this machine's own, or on the operator's
                        ///< deny list
    host_not_allowed,   ///< refused by request::allow_host
    too_many_redirects, ///< more than client_options::max_redirects
    dns_failed,         ///< the name has no address now
    connection_failed,  ///< refused, unreachable, reset before a response began
    tls_failed,         ///< handshake failed (transient) or the certificate is wrong (permanent)
    timeout,            ///< connect, first byte, low speed or total; `detail` says which
    bad_response,       ///< not HTTP, header lines or header block too large
    body_too_large,     ///< the decoded body passed request::max_body_bytes
    bad_encoding,       ///< unknown Content-Encoding, more than five layers, or data that was never of that
                        ///< encoding
    truncated_body, ///< ended early, cut compression stream or wrong checksum; never delivered as complete
    overloaded,     ///< the client's own queue is full, or no slot came free in time
    cancelled,      ///< client::stop() ended it
    proxy_failed,   ///< request::proxy cannot be reached, refuses us or cannot reach the site
};
inline constexpr std::size_t failure_kinds = 17;

/// The name as spelt above, for logs, metric labels and job errors.
std::string_view to_string(failure_kind kind) noexcept;

/// Whether asking again later can help.
enum class failure_class : std::uint8_t { transient, permanent };
std::string_view to_string(failure_class c) noexcept;

/// A fetch that ended without a response.
struct failure {
    failure_kind kind = failure_kind::bad_url;
    failure_class cls = failure_class::permanent;
    std::string detail;               ///< for people; no secret in it (request::secrets are masked)
    std::string url;                  ///< of the hop that failed, without query and fragment
    int redirects = 0;                ///< hops followed before it
    std::uint64_t bytes_received = 0; ///< compressed body bytes of the last hop
    std::uint64_t bytes_decoded = 0;

    /// "timeout: no response within 20s (https://shop.test/products.json)"
    std::string message() const;
};

/// The usual class of a kind.
failure_class class_of(failure_kind kind) noexcept;

} // namespace tiktrend::fetch
