#include <tiktrend/redis/info.hpp>

namespace tiktrend::redis {

std::string_view eviction_policy(std::string_view info) noexcept {
    constexpr std::string_view field = "maxmemory_policy:";
    const auto at = info.find(field);
    if (at == std::string_view::npos) return {};
    const auto value = info.substr(at + field.size());
    return value.substr(0, value.find_first_of("\r\n"));
}

} // namespace tiktrend::redis
