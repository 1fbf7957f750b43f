#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace tiktrend::worker {

/// What an image's first bytes say about it.
struct image_facts {
    std::string_view content_type; ///< "image/jpeg", …
    std::string_view extension;    ///< "jpg", …
    std::uint32_t width = 0;       ///< pixels
    std::uint32_t height = 0;
};

/// PNG, JPEG, GIF, WebP and AVIF, told by their bytes and never by what the server calls them. Nothing for
/// everything else (SVG may hold scripts), for a header that is cut or says nonsense, and for sizes of 0.
/// Pure; looks at the header alone.
std::optional<image_facts> facts_of_image(std::string_view bytes) noexcept;

} // namespace tiktrend::worker
