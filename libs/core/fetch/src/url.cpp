#include <tiktrend/fetch/url.hpp>

#include <boost/asio/ip/address.hpp>

#include <curl/curl.h>
#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>

namespace tiktrend::fetch {
namespace {

constexpr std::size_t max_host_bytes = 253;

struct url_deleter {
    void operator()(CURLU* p) const noexcept { curl_url_cleanup(p); }
};
using url_handle = std::unique_ptr<CURLU, url_deleter>;

struct curl_text_deleter {
    void operator()(char* p) const noexcept { curl_free(p); }
};

/// One part, or nothing when the URL has none.
std::optional<std::string> part(CURLU* u, CURLUPart which, unsigned flags = 0) {
    char* raw = nullptr;
    if (curl_url_get(u, which, &raw, flags) != CURLUE_OK || raw == nullptr) return {};
    const std::unique_ptr<char, curl_text_deleter> owned{raw};
    return std::string{raw};
}

failure_kind kind_of(CURLUcode code) noexcept {
    return code == CURLUE_UNSUPPORTED_SCHEME ? failure_kind::scheme_forbidden : failure_kind::bad_url;
}

bool is_alpha(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
    std::string out{text};
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

/// The scheme in lower case, empty if there is none (RFC 3986 section 3.1).
std::string scheme_of(std::string_view text) {
    if (text.empty() || !is_alpha(text.front())) return {};
    for (std::size_t i = 1; i < text.size(); ++i) {
        const char c = text[i];
        if (c == ':') return lower(text.substr(0, i));
        if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return {};
    }
    return {};
}

/// What parsers disagree about is refused before any of them sees it.
bool has_disputed_bytes(std::string_view text, bool blanks_too) noexcept {
    return std::any_of(text.begin(), text.end(), [&](char c) {
        const auto b = static_cast<unsigned char>(c);
        return b < 0x20 || b == 0x7f || c == '\\' || (blanks_too && c == ' ');
    });
}

/// A host name in lower-case ASCII without a trailing dot; empty if it is not a name that DNS can have.
std::string ascii_host(std::string host) {
    const bool is_ascii =
        std::none_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (!is_ascii) {
        // Full-width digits and the like become ordinary ones here (UTS 46), so the caller parses the result
        // again.
        char* mapped = nullptr;
        if (idn2_to_ascii_8z(host.c_str(), &mapped, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
            return {};
        host = mapped;
        idn2_free(mapped);
    }
    host = lower(host);
    if (host.ends_with('.')) host.pop_back();
    if (host.empty() || host.size() > max_host_bytes || host.starts_with('.')) return {};
    const bool ok = std::all_of(host.begin(), host.end(), [](char c) {
        return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    });
    return ok && host.find("..") == std::string::npos ? host : std::string{};
}

/// One round: the URL as libcurl reads it, with the host made ASCII.
result<url, failure_kind> read(const std::string& text) {
    const url_handle u{curl_url()};
    if (!u) throw std::bad_alloc{};
    if (const auto code =
            curl_url_set(u.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER | CURLU_URLENCODE))
        return kind_of(code);
    if (part(u.get(), CURLUPART_ZONEID)) return failure_kind::address_forbidden;

    url out;
    out.scheme = part(u.get(), CURLUPART_SCHEME).value_or("");
    auto host = part(u.get(), CURLUPART_HOST).value_or("");
    const bool is_v6 = host.starts_with('[') && host.ends_with(']');
    out.host = is_v6 ? host.substr(1, host.size() - 2) : ascii_host(std::move(host));
    if (out.host.empty()) return failure_kind::bad_url;
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(out.host, not_an_address);
    out.is_literal = !not_an_address;
    if (is_v6 && !out.is_literal) return failure_kind::bad_url;

    const auto port = part(u.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT).value_or("");
    const auto [end, bad] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (bad != std::errc{} || end != port.data() + port.size() || out.port == 0) return failure_kind::bad_url;

    out.target = part(u.get(), CURLUPART_PATH).value_or("/");
    if (out.target.empty()) out.target = "/";
    if (const auto query = part(u.get(), CURLUPART_QUERY)) out.target += "?" + *query;
    out.text = out.origin() + out.target;
    return out;
}

} // namespace

std::string url::origin() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    const bool is_default = port == (scheme == "https" ? 443 : 80);
    return fmt::format("{}://{}{}{}{}", scheme, is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                       is_default ? std::string{} : fmt::format(":{}", port));
}

std::string url::for_log() const {
    return origin() + target.substr(0, target.find('?'));
}

result<url, failure_kind> parse_url(std::string_view text) {
    if (text.empty() || text.size() > max_url_bytes || has_disputed_bytes(text, true))
        return failure_kind::bad_url;
    const auto scheme = scheme_of(text);
    if (scheme.empty()) return failure_kind::bad_url;
    if (scheme != "http" && scheme != "https") return failure_kind::scheme_forbidden;
    // libcurl forgives `http:/x` and `http:///x`; a checker must not guess.
    auto rest = text.substr(scheme.size() + 1);
    if (!rest.starts_with("//")) return failure_kind::bad_url;
    rest.remove_prefix(2);
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    if (authority.empty() || authority.find('@') != std::string_view::npos) return failure_kind::bad_url;

    // Making the host ASCII can turn a name into an address, so read again until nothing changes.
    auto current = read(std::string{text});
    if (current && current->text == text) return current;
    for (int round = 0; current && round < 3; ++round) {
        auto again = read(current->text);
        if (!again || again->text == current->text) return again;
        current = std::move(again);
    }
    if (!current) return current;
    return failure_kind::bad_url;
}

result<url, failure_kind> resolve(const url& base, std::string_view location) {
    if (location.size() > max_url_bytes || has_disputed_bytes(location, false)) return failure_kind::bad_url;
    const url_handle u{curl_url()};
    if (!u) throw std::bad_alloc{};
    if (const auto code = curl_url_set(u.get(), CURLUPART_URL, base.text.c_str(), 0)) return kind_of(code);
    const std::string text{location};
    if (const auto code =
            curl_url_set(u.get(), CURLUPART_URL, text.c_str(), CURLU_URLENCODE | CURLU_ALLOW_SPACE))
        return kind_of(code);
    return parse_url(part(u.get(), CURLUPART_URL).value_or(""));
}

} // namespace tiktrend::fetch
