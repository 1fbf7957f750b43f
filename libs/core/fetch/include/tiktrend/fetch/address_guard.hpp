#pragma once
#include <tiktrend/base/error.hpp>
#include <tiktrend/fetch/url.hpp>

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::fetch {

/// A range of addresses, "10.0.0.0/8" or "fc00::/7".
struct ip_range {
    boost::asio::ip::address base;
    unsigned bits = 0;
    bool contains(const boost::asio::ip::address& a) const noexcept;
};
std::optional<ip_range> parse_ip_range(std::string_view text); ///< a bare address is a range of one

/// One entry of the operator's allow list (FETCH_ALLOW). It opens forbidden addresses and ports:
///   ADDRESS[/BITS][:PORT]   "127.0.0.1:8080", "10.0.0.0/8", "[::1]:8080", "[fc00::]/7:443"
///   NAME[:PORT]             "demo-shop:8080": whatever address the name has
/// Without a port: 80 and 443. ":*" opens every port.
struct allow_entry {
    std::optional<ip_range> range; ///< set for addresses …
    std::string name;              ///< … otherwise a host name, lower case
    std::optional<std::uint16_t> port;
    bool any_port = false;
    bool covers_port(std::uint16_t p) const noexcept;
};
/// The entry, or what was expected, for a configuration error.
result<allow_entry, std::string> parse_allow_entry(std::string_view text);

/// Decides which URLs may be fetched and which addresses may be connected to (server-side request forgery).
/// Pure: bytes in, decision out. Refused by default is everything that the IANA special-purpose registries
/// list as not global, whatever way an IPv4 address is written or embedded in an IPv6 one.
class address_guard {
public:
    struct rules {
        rules() {}
        std::vector<allow_entry> allow;
        std::vector<ip_range> deny; ///< the operator's own (FETCH_DENY); beats `allow`
        std::vector<boost::asio::ip::address> own_addresses; ///< of this machine; see own_addresses()
    };
    explicit address_guard(rules r = rules{}) : rules_{std::move(r)} {}

    /// Before any packet: port, literal address, names that always mean this machine.
    std::optional<failure_kind> check(const url& u) const;

    /// At connect, for the address really used; `host` is the URL's. False: refuse.
    bool permits(const boost::asio::ip::address& a, std::uint16_t port, std::string_view host) const;

private:
    bool allowed_by_name(std::string_view host, std::uint16_t port) const;
    bool allowed_by_address(const boost::asio::ip::address& a, std::uint16_t port) const;

    rules rules_;
};

/// True if the address is of public use on the Internet.
bool is_public(const boost::asio::ip::address& a) noexcept;

/// The IPv4 address inside a mapped (::ffff:0:0/96) one; otherwise `a` itself.
boost::asio::ip::address unmap(const boost::asio::ip::address& a) noexcept;

/// Addresses of this machine's interfaces. Read at start: a guard does not follow later changes.
std::vector<boost::asio::ip::address> own_addresses();

} // namespace tiktrend::fetch
