#include "values/web_address.hpp"

#include "glob.hpp"
#include "values/byte_blocks.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

bool is_hex(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Unreserved and reserved characters of RFC 3986 but the square brackets, which only a host may hold.
constexpr auto legal = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view{
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#@!$&'()*+,;="})
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();

/// True for links that need no parser: legal bytes only, no escape, no segment of dots that would have to be
/// resolved.
bool is_plain(std::string_view link) noexcept {
    const bool is_legal = !has_suspect(link, [](byte_block b) {
        return (b <= 0x20) | (b >= 0x7F) | (b == '"') | (b == '%') | (b == '<') | (b == '>') | (b == '[') |
               (b == '\\') | (b == ']') | (b == '^') | (b == '`') | (b == '{') | (b == '|') | (b == '}');
    });
    return is_legal && link.find("/.") == std::string_view::npos;
}

/// Length of "https://host:port" in front of a plain link, 0 if the authority is anything but a name and
/// digits.
std::size_t plain_origin(std::string_view link) noexcept {
    const std::size_t scheme = link.starts_with("https://") ? 8 : link.starts_with("http://") ? 7 : 0;
    if (scheme == 0) return 0;
    const auto end = std::min(link.find_first_of("/?#", scheme), link.size());
    const auto authority = link.substr(scheme, end - scheme);
    const auto host = authority.substr(0, authority.find(':'));
    const auto is_host_byte = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '-';
    };
    const bool is_good =
        !host.empty() && std::all_of(host.begin(), host.end(), is_host_byte) && has_sound_authority(link);
    return is_good ? end : 0;
}

std::string_view scheme_of(std::string_view link) noexcept {
    const auto end = link.find_first_of(":/?#");
    return end != std::string_view::npos && link[end] == ':' ? link.substr(0, end) : std::string_view{};
}

converted<std::string> accept(boost::urls::url_view url) {
    if (url.scheme_id() != boost::urls::scheme::http && url.scheme_id() != boost::urls::scheme::https)
        return reject{"is no http or https URL"};
    if (url.has_userinfo()) return reject{"holds a user name"};
    if (url.encoded_host().empty()) return reject{"has no host"};
    if (!has_sound_authority({url.data(), url.size()})) return reject{"has a malformed host or port"};
    if (url.size() > page_address::max_bytes) return reject{"is longer than 2048 bytes"};
    return std::string{url.data(), url.size()};
}

} // namespace

struct page_address::parts {
    boost::urls::url base;
    bool has_base = false;
    std::string origin; ///< of the base, when it is plain
    /// Plain origin of the last absolute link, which is that of most others on the page.
    std::string last_origin;

    /// True if `link` is of the same origin as the last absolute link.
    bool has_last_origin(std::string_view link) const noexcept {
        const auto n = last_origin.size();
        return n > 0 && link.starts_with(last_origin) &&
               (link.size() == n || link[n] == '/' || link[n] == '?' || link[n] == '#');
    }

    /// True if `link` is absolute with a plain origin.
    bool has_plain_origin(std::string_view link) {
        if (has_last_origin(link)) return true;
        const auto length = plain_origin(link);
        if (length > 0) last_origin = link.substr(0, length);
        return length > 0;
    }
};

page_address::page_address(std::string_view url) : parts_{std::make_unique<parts>()} {
    if (const auto parsed = boost::urls::parse_uri(url); parsed.has_value()) {
        parts_->base = *parsed;
        parts_->has_base = true;
        parts_->origin = url.substr(0, plain_origin(url));
    }
}

page_address::~page_address() = default;
page_address::page_address(page_address&&) noexcept = default;
page_address& page_address::operator=(page_address&&) noexcept = default;

converted<std::string> page_address::resolve(std::string_view link) const {
    link = trim_blanks(link);
    if (link.size() <= max_bytes && parts_->has_last_origin(link) && is_plain(link)) return std::string{link};
    if (const auto scheme = scheme_of(link);
        !scheme.empty() && !equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https"))
        return reject{"is no http or https URL"};
    if (link.size() > max_bytes) return reject{"is longer than 2048 bytes"};
    if (link.empty()) return reject{"is empty"};

    if (is_plain(link)) {
        if (parts_->has_plain_origin(link)) return std::string{link};
        if (!parts_->origin.empty() && link.starts_with('/') && !link.starts_with("//")) {
            std::string out;
            out.reserve(parts_->origin.size() + link.size());
            out.append(parts_->origin).append(link);
            return out;
        }
    }
    auto parsed = boost::urls::parse_uri_reference(link);
    std::string tidy;
    if (!parsed.has_value()) {
        tidy = tidy_url(link);
        parsed = boost::urls::parse_uri_reference(tidy);
        if (!parsed.has_value()) return reject{"is no URL"};
    }
    if (parsed->has_scheme()) return accept(*parsed);
    if (!parts_->has_base) return reject{"is relative, and the address of the page is unknown"};
    boost::urls::url absolute;
    if (!boost::urls::resolve(parts_->base, *parsed, absolute).has_value()) return reject{"is no URL"};
    return accept(absolute);
}

bool has_sound_authority(std::string_view url) noexcept {
    const auto slashes = url.find("://");
    if (slashes == std::string_view::npos) return false;
    const auto begin = slashes + 3;
    const auto authority = url.substr(begin, url.find_first_of("/?#\\", begin) - begin);
    if (authority.find('@') != std::string_view::npos) return false;
    const auto bracket = authority.rfind(']'); // the colons of an IPv6 address stand in front of it
    const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (authority.substr(0, colon).empty()) return false;
    if (colon == std::string_view::npos) return true;
    const auto port = authority.substr(colon + 1);
    if (port.empty() || port.size() > 5) return false;
    int number = 0;
    for (const char c : port) {
        if (c < '0' || c > '9') return false;
        number = number * 10 + (c - '0');
    }
    return number >= 1 && number <= 65535;
}

std::string tidy_url(std::string_view url) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    out.reserve(url.size() + 16);
    const auto authority = url.find("//");
    const auto host_end = authority == std::string_view::npos
                              ? 0
                              : std::min(url.find_first_of("/?#", authority + 2), url.size());
    for (std::size_t i = 0; i < url.size(); ++i) {
        const char c = url[i];
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n' || c == '\r' || c == '\t') continue; // as the WHATWG URL standard does
        const bool is_escape = c == '%' && i + 2 < url.size() && is_hex(url[i + 1]) && is_hex(url[i + 2]);
        const bool is_host_bracket = (c == '[' || c == ']') && i < host_end;
        if (is_escape || is_host_bracket || legal[byte]) {
            out += c;
        } else {
            out += '%';
            out += hex[byte >> 4];
            out += hex[byte & 15];
        }
    }
    return out;
}

} // namespace tiktrend::sources
