#include <tiktrend/base/config_reader.hpp>
#include <tiktrend/base/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace tiktrend {
namespace {

using std::chrono::milliseconds;

template <class T>
std::optional<T> parse_whole(std::string_view text) noexcept {
    T value{};
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// n units of `factor`, unless that is more than fits.
std::optional<std::int64_t> times(std::optional<std::int64_t> n, std::int64_t factor) noexcept {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    if (!n || *n > most / factor || *n < -(most / factor)) return std::nullopt;
    return *n * factor;
}

std::string show(milliseconds d) {
    const auto n = d.count();
    if (n != 0 && n % 3'600'000 == 0) return fmt::format("{}h", n / 3'600'000);
    if (n != 0 && n % 60'000 == 0) return fmt::format("{}m", n / 60'000);
    if (n % 1000 == 0) return fmt::format("{}s", n / 1000);
    return fmt::format("{}ms", n);
}

/// `user:PASSWORD@` of a URL. A password whose '/' nobody escaped is hidden too: what stands between the
/// first colon and the last '@' before the query, or else in it, unless it is a port.
std::string hide_password_of_user(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::string{url};
    const auto start = scheme + 3;
    const auto hierarchy = url.substr(start, url.find('?', start) - start);
    const auto authority = hierarchy.substr(0, hierarchy.find('/'));
    auto at = hierarchy.rfind('@');
    if (at == std::string_view::npos) at = url.substr(start).rfind('@'); // of a password with a '?'
    const auto colon = hierarchy.find(':');
    if (at == std::string_view::npos || colon == std::string_view::npos || colon > at)
        return std::string{url};
    const auto is_port =
        colon < authority.size() && parse_whole<std::uint16_t>(authority.substr(colon + 1)).has_value();
    if (is_port) return std::string{url};
    return fmt::format("{}:***{}", url.substr(0, start + colon), url.substr(start + at));
}

/// `password=PASSWORD` of a query (libpq takes `sslpassword` there too) and of a conninfo string, in which it
/// may be quoted.
std::string hide_password_members(std::string text) {
    constexpr std::string_view name = "password=";
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
    for (auto from = text.begin();;) {
        const auto member = std::search(from, text.end(), name.begin(), name.end(), same);
        if (member == text.end()) return text;
        const auto value = static_cast<std::size_t>(member - text.begin()) + name.size();
        const bool quoted = value < text.size() && text[value] == '\'';
        const std::string_view enders = quoted ? "'" : "& \t#";
        auto end = value + (quoted ? 1 : 0);
        while (end < text.size() && enders.find(text[end]) == std::string_view::npos)
            end += text[end] == '\\' ? 2 : 1; // an escaped quote or blank ends nothing
        end = std::min(end + (quoted ? 1 : 0), text.size());
        text.replace(value, end - value, "***");
        from = text.begin() + static_cast<std::ptrdiff_t>(value + 3);
    }
}

std::string_view scheme_of(std::string_view url) {
    const auto at = url.find("://");
    return at == std::string_view::npos ? std::string_view{} : url.substr(0, at);
}

bool has_scheme(std::string_view url, std::initializer_list<std::string_view> schemes) {
    return std::find(schemes.begin(), schemes.end(), scheme_of(url)) != schemes.end();
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        if (const auto item = trim(text.substr(0, comma)); !item.empty()) out.emplace_back(item);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
}

} // namespace

std::optional<milliseconds> parse_duration(std::string_view text) noexcept {
    static constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> units{
        {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
    for (const auto& [unit, factor] : units)
        if (text.size() > unit.size() && text.ends_with(unit))
            if (const auto n = parse_whole<std::int64_t>(text.substr(0, text.size() - unit.size()))) {
                const auto whole = times(n, factor);
                return whole ? std::optional{milliseconds{*whole}} : std::nullopt;
            }
    return std::nullopt;
}

std::optional<std::int64_t> parse_bytes(std::string_view text) noexcept {
    static constexpr std::array<std::pair<std::string_view, std::int64_t>, 3> units{
        {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};
    for (const auto& [unit, factor] : units)
        if (text.ends_with(unit)) {
            return times(parse_whole<std::int64_t>(text.substr(0, text.size() - unit.size())), factor);
        }
    return parse_whole<std::int64_t>(text);
}

std::string hide_password(std::string_view text) {
    return hide_password_members(hide_password_of_user(text));
}

config_reader::config_reader()
    : config_reader{[](std::string_view name) -> std::optional<std::string> {
          const char* value = std::getenv(std::string{name}.c_str());
          return value ? std::optional<std::string>{value} : std::nullopt;
      }} {}

std::optional<std::string> config_reader::find(std::string_view name) const {
    auto value = source_(name);
    if (value && value->empty()) value.reset();
    return value;
}

void config_reader::note(std::string_view name, std::string shown, bool is_default) {
    entries_.push_back({std::string{name}, std::move(shown), is_default});
}

void config_reader::fail(std::string_view name, std::string_view value, std::string_view expected) {
    errors_.push_back(fmt::format("{}=\"{}\": expected {}", name, hide_password(value), expected));
}

std::string config_reader::text(std::string_view name, std::string_view fallback) {
    const auto value = find(name);
    note(name, hide_password(value.value_or(std::string{fallback})), !value);
    return value.value_or(std::string{fallback});
}

std::string config_reader::secret(std::string_view name, std::string_view fallback) {
    const auto value = find(name);
    note(name, value || !fallback.empty() ? "***" : "", !value);
    return value.value_or(std::string{fallback});
}

std::string config_reader::required(std::string_view name, std::string_view expected) {
    const auto value = find(name);
    if (!value) fail(name, "", expected);
    note(name, hide_password(value.value_or("")), !value);
    return value.value_or("");
}

std::int64_t config_reader::integer(std::string_view name, std::int64_t fallback, std::int64_t min,
                                    std::int64_t max) {
    const auto value = find(name);
    auto out = fallback;
    if (value) {
        const auto n = parse_whole<std::int64_t>(*value);
        if (n && *n >= min && *n <= max)
            out = *n;
        else
            fail(name, *value, fmt::format("an integer from {} to {}", min, max));
    }
    note(name, std::to_string(out), !value);
    return out;
}

double config_reader::number(std::string_view name, double fallback, double min, double max) {
    const auto value = find(name);
    auto out = fallback;
    if (value) {
        const auto n = parse_whole<double>(*value);
        if (n && *n >= min && *n <= max)
            out = *n;
        else
            fail(name, *value, fmt::format("a number from {} to {}", min, max));
    }
    note(name, fmt::format("{}", out), !value);
    return out;
}

bool config_reader::flag(std::string_view name, bool fallback) {
    const auto value = find(name);
    auto out = fallback;
    if (value) {
        if (*value == "true" || *value == "1" || *value == "yes" || *value == "on")
            out = true;
        else if (*value == "false" || *value == "0" || *value == "no" || *value == "off")
            out = false;
        else
            fail(name, *value, "true or false");
    }
    note(name, out ? "true" : "false", !value);
    return out;
}

milliseconds config_reader::duration(std::string_view name, milliseconds fallback, milliseconds min,
                                     milliseconds max) {
    const auto value = find(name);
    auto out = fallback;
    if (value) {
        const auto d = parse_duration(*value);
        if (d && *d >= min && *d <= max)
            out = *d;
        else
            fail(name, *value,
                 fmt::format("a duration with a unit (ms, s, m, h) from {} to {}", show(min), show(max)));
    }
    note(name, show(out), !value);
    return out;
}

std::int64_t config_reader::bytes(std::string_view name, std::int64_t fallback, std::int64_t min,
                                  std::int64_t max) {
    const auto value = find(name);
    auto out = fallback;
    if (value) {
        const auto n = parse_bytes(*value);
        if (n && *n >= min && *n <= max)
            out = *n;
        else
            fail(name, *value, fmt::format("bytes from {} to {}, plain or with KiB, MiB, GiB", min, max));
    }
    note(name, std::to_string(out), !value);
    return out;
}

std::string config_reader::one_of(std::string_view name, std::string_view fallback,
                                  std::initializer_list<std::string_view> choices) {
    const auto value = find(name);
    std::string out{fallback};
    if (value) {
        if (std::find(choices.begin(), choices.end(), std::string_view{*value}) != choices.end())
            out = *value;
        else
            fail(name, *value, fmt::format("one of {}", fmt::join(choices, ", ")));
    }
    note(name, out, !value);
    return out;
}

std::vector<std::string> config_reader::list(std::string_view name, std::string_view fallback) {
    const auto value = find(name);
    const std::string text = value.value_or(std::string{fallback});
    auto out = split(text);
    std::vector<std::string> shown;
    for (const auto& item : out)
        shown.push_back(hide_password(item));
    note(name, fmt::format("{}", fmt::join(shown, ",")), !value);
    return out;
}

std::string config_reader::url(std::string_view name, std::string_view fallback,
                               std::initializer_list<std::string_view> schemes) {
    const auto value = find(name);
    std::string out{fallback};
    if (value) {
        if (has_scheme(*value, schemes))
            out = *value;
        else
            fail(name, *value, fmt::format("a URL with scheme {}", fmt::join(schemes, ", ")));
    }
    note(name, hide_password(out), !value);
    return out;
}

std::vector<std::string> config_reader::urls(std::string_view name,
                                             std::initializer_list<std::string_view> schemes) {
    auto out = list(name, "");
    for (const auto& item : out)
        if (!has_scheme(item, schemes))
            fail(name, item, fmt::format("comma separated URLs with scheme {}", fmt::join(schemes, ", ")));
    return out;
}

} // namespace tiktrend
