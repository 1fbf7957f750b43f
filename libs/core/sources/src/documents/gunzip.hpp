#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::sources {

inline constexpr std::size_t most_gunzipped = 64 << 20; ///< 50 MB is the most that sitemaps may have

bool is_gzip(std::string_view bytes) noexcept;

/// The text of a gzip file (sitemap.xml.gz); nothing if it is broken or longer than `most` bytes.
std::optional<std::string> gunzip(std::string_view bytes, std::size_t most);

} // namespace tiktrend::sources
