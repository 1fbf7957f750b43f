#pragma once
#include <tiktrend/base/config_reader.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace tiktrend::catalog {

/// A variable that is a number of uses a day, or "off": no limit (empty). Gateway and worker read the same
/// ones.
std::optional<std::int64_t> read_daily_quota(config_reader& r, std::string_view name,
                                             std::string_view fallback);

/// QUOTA_SCRAPES when it is not set.
inline constexpr std::string_view default_scrape_quota = "1000";

} // namespace tiktrend::catalog
