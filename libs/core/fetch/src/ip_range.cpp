#include <tiktrend/fetch/address_guard.hpp>

#include <array>
#include <charconv>
#include <cstring>

namespace tiktrend::fetch {
namespace ip = boost::asio::ip;
namespace {

template <class Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, unsigned bits) noexcept {
    const unsigned whole = bits / 8;
    if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
    const unsigned rest = bits % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<unsigned char>(0xff << (8 - rest));
    return (a[whole] & mask) == (b[whole] & mask);
}

ip_range range(const char* base, unsigned bits) {
    return {ip::make_address(base), bits};
}

/// IANA "IPv4 Special-Purpose Address Registry", all that is not globally reachable, with multicast and class
/// E.
const std::array<ip_range, 16>& special_v4() {
    static const std::array<ip_range, 16> table{
        range("0.0.0.0", 8),         range("10.0.0.0", 8),     range("100.64.0.0", 10),
        range("127.0.0.0", 8),       range("169.254.0.0", 16), range("172.16.0.0", 12),
        range("192.0.0.0", 24),      range("192.0.2.0", 24),   range("192.88.99.0", 24),
        range("192.168.0.0", 16),    range("198.18.0.0", 15),  range("198.51.100.0", 24),
        range("203.0.113.0", 24),    range("224.0.0.0", 4),    range("240.0.0.0", 4),
        range("255.255.255.255", 32)};
    return table;
}

/// IANA "IPv6 Special-Purpose Address Registry" likewise, with every form that carries an IPv4 address
/// through a translator (NAT64, Teredo, 6to4, the deprecated "compatible" form): what stands behind those
/// cannot be known here.
const std::array<ip_range, 15>& special_v6() {
    static const std::array<ip_range, 15> table{
        range("::", 96),     range("64:ff9b::", 96),    range("64:ff9b:1::", 48), range("100::", 64),
        range("2001::", 23), range("2001:db8::", 32),   range("2002::", 16),      range("3fff::", 20),
        range("5f00::", 16), range("fc00::", 7),        range("fec0::", 10),      range("fe80::", 10),
        range("ff00::", 8),  range("::ffff:0:0:0", 96), range("100:0:0:1::", 64)};
    return table;
}

} // namespace

bool ip_range::contains(const ip::address& a) const noexcept {
    if (a.is_v4() != base.is_v4()) return false;
    if (a.is_v4()) return same_prefix(a.to_v4().to_bytes(), base.to_v4().to_bytes(), bits);
    return same_prefix(a.to_v6().to_bytes(), base.to_v6().to_bytes(), bits);
}

std::optional<ip_range> parse_ip_range(std::string_view text) {
    const auto slash = text.find('/');
    boost::system::error_code bad;
    const auto address = ip::make_address(std::string{text.substr(0, slash)}, bad);
    if (bad || (address.is_v6() && address.to_v6().scope_id() != 0)) return {};
    const unsigned most = address.is_v4() ? 32 : 128;
    if (slash == std::string_view::npos) return ip_range{address, most};
    unsigned bits = 0;
    const auto digits = text.substr(slash + 1);
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (code != std::errc{} || end != digits.data() + digits.size() || bits > most) return {};
    return ip_range{address, bits};
}

ip::address unmap(const ip::address& a) noexcept {
    if (a.is_v6() && a.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, a.to_v6());
    return a;
}

bool is_public(const ip::address& given) noexcept {
    const auto a = unmap(given);
    const auto holds = [&](const ip_range& r) { return r.contains(a); };
    if (a.is_v4()) return std::none_of(special_v4().begin(), special_v4().end(), holds);
    return std::none_of(special_v6().begin(), special_v6().end(), holds);
}

} // namespace tiktrend::fetch
