#include <tiktrend/catalog/quota_setting.hpp>

#include <charconv>

namespace tiktrend::catalog {

std::optional<std::int64_t> read_daily_quota(config_reader& r, std::string_view name,
                                             std::string_view fallback) {
    const auto text = r.text(name, fallback);
    if (text == "off") return std::nullopt;
    std::int64_t n = -1;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (ec != std::errc{} || end != text.data() + text.size() || n < 0)
        r.fail(name, text, "a number of uses a day, or off");
    return n;
}

} // namespace tiktrend::catalog
