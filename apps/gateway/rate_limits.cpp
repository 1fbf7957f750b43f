#include "rate_limits.hpp"

#include <tiktrend/base/config_reader.hpp>

#include <charconv>

namespace tiktrend::gateway {

std::optional<rate_limit> parse_rate_limit(std::string_view text) noexcept {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    rate_limit out;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + slash, out.quota);
    if (ec != std::errc{} || end != text.data() + slash || out.quota < 1 || out.quota > 1'000'000'000)
        return std::nullopt;
    const auto window = parse_duration(text.substr(slash + 1));
    if (!window || *window < std::chrono::seconds{1} || *window > std::chrono::hours{24}) return std::nullopt;
    out.window = *window;
    return out;
}

} // namespace tiktrend::gateway
