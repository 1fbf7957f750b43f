#include <tiktrend/fetch/address_guard.hpp>

#include <algorithm>

namespace tiktrend::fetch {
namespace ip = boost::asio::ip;
namespace {

/// Names that mean this machine by definition (RFC 6761 section 6.3).
bool is_localhost(std::string_view host) noexcept {
    return host == "localhost" || host.ends_with(".localhost");
}

bool is_web_port(std::uint16_t port) noexcept {
    return port == 80 || port == 443;
}

} // namespace

bool address_guard::allowed_by_name(std::string_view host, std::uint16_t port) const {
    return std::any_of(rules_.allow.begin(), rules_.allow.end(), [&](const allow_entry& e) {
        return !e.range && e.name == host && e.covers_port(port);
    });
}

bool address_guard::allowed_by_address(const ip::address& a, std::uint16_t port) const {
    return std::any_of(rules_.allow.begin(), rules_.allow.end(), [&](const allow_entry& e) {
        return e.range && e.range->contains(a) && e.covers_port(port);
    });
}

std::optional<failure_kind> address_guard::check(const url& u) const {
    if (u.is_literal) {
        const auto a = unmap(ip::make_address(u.host));
        if (permits(a, u.port, u.host)) return {};
        // A port that nobody opened is named first; with a web port it can only be the address.
        return is_web_port(u.port) ? failure_kind::address_forbidden : failure_kind::port_forbidden;
    }
    if (allowed_by_name(u.host, u.port)) return {};
    // The address is not known yet: a port that some range opens passes here and is decided at connect.
    const bool port_may_pass = is_web_port(u.port) || std::any_of(rules_.allow.begin(), rules_.allow.end(),
                                                                  [&](const allow_entry& e) {
                                                                      return e.range && e.covers_port(u.port);
                                                                  });
    if (!port_may_pass) return failure_kind::port_forbidden;
    if (is_localhost(u.host) && !allowed_by_address(ip::address_v4::loopback(), u.port))
        return failure_kind::address_forbidden;
    return {};
}

bool address_guard::permits(const ip::address& given, std::uint16_t port, std::string_view host) const {
    const auto a = unmap(given);
    const auto holds = [&](const ip_range& r) { return r.contains(a); };
    if (std::any_of(rules_.deny.begin(), rules_.deny.end(), holds)) return false;
    if (allowed_by_address(a, port) || allowed_by_name(host, port)) return true;
    if (!is_public(a)) return false;
    if (std::find(rules_.own_addresses.begin(), rules_.own_addresses.end(), a) != rules_.own_addresses.end())
        return false;
    return is_web_port(port);
}

} // namespace tiktrend::fetch
