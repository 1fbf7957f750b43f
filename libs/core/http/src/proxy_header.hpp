#pragma once
#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace tiktrend::http {

/// The header of the PROXY protocol, version 2, that a load balancer sends in front of everything
/// (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt section 2.2). Version 1 is refused.
struct proxy_header {
    /// What every header begins with: signature, version and command, family, length.
    static constexpr std::size_t first_size = 16;
    static constexpr std::size_t max_size = 536; ///< longer ones (type-length-values) are refused

    std::size_t size = 0; ///< the whole header
    /// The client's address; empty for the LOCAL command (health checks of the balancer) and for families
    /// other than IPv4 and IPv6: then the connection's own address counts.
    std::optional<boost::asio::ip::address> client;
};

/// The header's whole size from its first first_size bytes; nothing if it is none.
std::optional<std::size_t> proxy_header_size(std::string_view first) noexcept;

/// The header, from all its bytes; nothing if it is malformed.
std::optional<proxy_header> parse_proxy_header(std::string_view bytes) noexcept;

} // namespace tiktrend::http
