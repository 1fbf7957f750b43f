#pragma once
#include <string_view>

namespace tiktrend::worker {

// The jobs of the queue, as clients and other workers know them: do not change.
inline constexpr std::string_view scrape_products_name = "scrape_products";
inline constexpr std::string_view mirror_images_name = "mirror_images";
inline constexpr std::string_view refresh_trends_name = "refresh_trending_summary";

} // namespace tiktrend::worker
