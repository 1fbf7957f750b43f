#include "trusted_proxies.hpp"

#include <tiktrend/base/text.hpp>

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace tiktrend::http {
namespace {

namespace ip = boost::asio::ip;

/// An address as proxies write it: "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711", with
/// or without double quotes.
std::optional<ip::address> parse_node(std::string_view text) {
    text = trim(text);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    if (!text.empty() && text.front() == '[') {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        text = text.substr(1, end - 1);
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
        text = text.substr(0, text.find(':'));
    }
    boost::system::error_code ec;
    const auto address = ip::make_address(std::string{text}, ec);
    if (ec) return std::nullopt;
    return unmapped(address);
}

/// The elements of every field of that name, in order.
std::vector<std::string_view> elements(const headers& h, std::string_view name) {
    std::vector<std::string_view> out;
    for (const auto f : h) {
        if (!equal_ignoring_case(f.name, name)) continue;
        auto rest = f.value;
        for (;;) {
            const auto comma = rest.find(',');
            out.push_back(trim(rest.substr(0, comma)));
            if (comma == std::string_view::npos) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return out;
}

/// The value of for= in one element of Forwarded.
std::string_view forwarded_for(std::string_view element) {
    for (;;) {
        const auto end = element.find(';');
        const auto pair = trim(element.substr(0, end));
        if (pair.size() > 4 && equal_ignoring_case(pair.substr(0, 4), "for=")) return pair.substr(4);
        if (end == std::string_view::npos) return {};
        element.remove_prefix(end + 1);
    }
}

} // namespace

ip::address unmapped(const ip::address& a) {
    return a.is_v6() && a.to_v6().is_v4_mapped() ? ip::address{ip::make_address_v4(ip::v4_mapped, a.to_v6())}
                                                 : a;
}

trusted_proxies::trusted_proxies(const std::vector<std::string>& blocks) {
    for (const auto& block : blocks) {
        boost::system::error_code bad4, bad6;
        const bool has_length = block.find('/') != std::string::npos;
        const auto as4 = ip::make_network_v4(has_length ? block : block + "/32", bad4);
        const auto as6 = ip::make_network_v6(has_length ? block : block + "/128", bad6);
        if (!bad4)
            v4_.push_back(as4.canonical());
        else if (!bad6)
            v6_.push_back(as6.canonical());
        else
            throw std::invalid_argument("trusted proxy \"" + block +
                                        "\": expected an address or a CIDR block");
    }
}

bool trusted_proxies::trusts(const ip::address& peer) const noexcept {
    const auto a = unmapped(peer);
    const auto holds = [](const auto& network, const auto& own) {
        return decltype(network.canonical()){own, network.prefix_length()}.canonical() == network;
    };
    if (a.is_v4())
        return std::any_of(v4_.begin(), v4_.end(), [&](const auto& n) { return holds(n, a.to_v4()); });
    return std::any_of(v6_.begin(), v6_.end(), [&](const auto& n) { return holds(n, a.to_v6()); });
}

std::optional<ip::address> trusted_proxies::client_of(const headers& h) const {
    const bool common = h.has("X-Forwarded-For");
    auto hops = elements(h, common ? "X-Forwarded-For" : "Forwarded");
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
        const auto address = parse_node(common ? *hop : forwarded_for(*hop));
        if (!address) return std::nullopt; // who wrote this cannot be told, so nothing left of it is believed
        if (!trusts(*address)) return address;
    }
    return std::nullopt;
}

} // namespace tiktrend::http
