#include <tiktrend/fetch/address_guard.hpp>

#include <charconv>

namespace tiktrend::fetch {
namespace {

const std::string expected =
    "expected ADDRESS[/BITS][:PORT], [IPV6][/BITS][:PORT] or NAME[:PORT]; PORT is a number or *";

bool read_port(std::string_view text, allow_entry& entry) {
    if (text == "*") {
        entry.any_port = true;
        return true;
    }
    std::uint16_t port = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (code != std::errc{} || end != text.data() + text.size() || port == 0) return false;
    entry.port = port;
    return true;
}

} // namespace

bool allow_entry::covers_port(std::uint16_t p) const noexcept {
    if (any_port) return true;
    return port ? *port == p : p == 80 || p == 443;
}

result<allow_entry, std::string> parse_allow_entry(std::string_view text) {
    allow_entry entry;
    std::string where;
    std::string_view port_text;
    bool has_port = false;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return expected;
        where = text.substr(1, close - 1);
        auto rest = text.substr(close + 1);
        const auto colon = rest.find(':');
        where += rest.substr(0, colon); // "/BITS"
        has_port = colon != std::string_view::npos;
        if (has_port) port_text = rest.substr(colon + 1);
    } else {
        const auto colon = text.rfind(':');
        // Two colons without brackets: an IPv6 address alone.
        has_port = colon != std::string_view::npos && text.find(':') == colon;
        where = text.substr(0, has_port ? colon : text.size());
        if (has_port) port_text = text.substr(colon + 1);
    }
    if (has_port && !read_port(port_text, entry)) return expected;
    entry.range = parse_ip_range(where);
    if (entry.range) return entry;

    // A name goes through the URL parser, so that it is spelt as the URLs it is compared with.
    const auto as_url = parse_url("http://" + where + "/");
    if (!as_url || as_url->is_literal || where.find_first_of("/?#:[]") != std::string::npos) return expected;
    entry.name = as_url->host;
    return entry;
}

} // namespace tiktrend::fetch
