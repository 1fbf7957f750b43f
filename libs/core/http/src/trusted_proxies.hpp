#pragma once
#include <tiktrend/http/headers.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tiktrend::http {

/// Whose word about the client's address is believed (ops.md section 4, "Proxy trust").
class trusted_proxies {
public:
    /// CIDR blocks or plain addresses. Throws std::invalid_argument naming the malformed one.
    explicit trusted_proxies(const std::vector<std::string>& blocks);

    bool trusts(const boost::asio::ip::address& peer) const noexcept;

    /// The rightmost address in X-Forwarded-For (or, without it, in Forwarded, RFC 7239) that is not a
    /// trusted proxy itself. Empty if there is none or what stands there is no address. Only meaningful when
    /// the peer is trusted.
    std::optional<boost::asio::ip::address> client_of(const headers& h) const;

private:
    std::vector<boost::asio::ip::network_v4> v4_;
    std::vector<boost::asio::ip::network_v6> v6_;
};

/// IPv4-mapped IPv6 addresses as IPv4, since a listener on "::" sees IPv4 clients so.
boost::asio::ip::address unmapped(const boost::asio::ip::address& a);

} // namespace tiktrend::http
