#include "image_facts.hpp"

#include <cstddef>

namespace tiktrend::worker {
namespace {

using namespace std::string_view_literals;

std::uint32_t byte_at(std::string_view b, std::size_t at) noexcept {
    return static_cast<unsigned char>(b[at]);
}
std::uint32_t big16(std::string_view b, std::size_t at) noexcept {
    return byte_at(b, at) << 8 | byte_at(b, at + 1);
}
std::uint32_t big32(std::string_view b, std::size_t at) noexcept {
    return big16(b, at) << 16 | big16(b, at + 2);
}
std::uint32_t little16(std::string_view b, std::size_t at) noexcept {
    return byte_at(b, at) | byte_at(b, at + 1) << 8;
}
std::uint32_t little24(std::string_view b, std::size_t at) noexcept {
    return little16(b, at) | byte_at(b, at + 2) << 16;
}

using facts = std::optional<image_facts>;

/// PNG specification, 5.2 and 11.2.2: signature, then IHDR.
facts png(std::string_view b) noexcept {
    if (b.size() < 24 || b.substr(12, 4) != "IHDR") return {};
    return image_facts{"image/png", "png", big32(b, 16), big32(b, 20)};
}

facts gif(std::string_view b) noexcept {
    if (b.size() < 10) return {};
    return image_facts{"image/gif", "gif", little16(b, 6), little16(b, 8)};
}

/// ITU T.81 B.1: segments up to the frame header, which has the size.
facts jpeg(std::string_view b) noexcept {
    std::size_t at = 2;
    while (at + 9 < b.size()) {
        if (byte_at(b, at) != 0xFF) return {};
        const auto marker = byte_at(b, at + 1);
        if (marker == 0xFF) { // fill byte
            ++at;
            continue;
        }
        const bool is_frame =
            marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
        if (is_frame) return image_facts{"image/jpeg", "jpg", big16(b, at + 7), big16(b, at + 5)};
        if (marker == 0xD9 || marker == 0xDA) return {}; // image data before any frame
        const auto length = big16(b, at + 2);
        if (length < 2) return {};
        at += 2 + length;
    }
    return {};
}

/// The three kinds of first chunk (WebP container specification).
facts webp(std::string_view b) noexcept {
    if (b.size() < 30) return {};
    image_facts out{"image/webp", "webp", 0, 0};
    const auto chunk = b.substr(12, 4);
    if (chunk == "VP8X") {
        out.width = little24(b, 24) + 1;
        out.height = little24(b, 27) + 1;
    } else if (chunk == "VP8L" && byte_at(b, 20) == 0x2F) {
        const auto bits = little16(b, 21) | little16(b, 23) << 16;
        out.width = (bits & 0x3FFF) + 1;
        out.height = (bits >> 14 & 0x3FFF) + 1;
    } else if (chunk == "VP8 " && b.substr(23, 3) == "\x9D\x01\x2A"sv) {
        out.width = little16(b, 26) & 0x3FFF;
        out.height = little16(b, 28) & 0x3FFF;
    } else {
        return {};
    }
    return out;
}

/// The property `ispe` of the first item (ISO/IEC 23008-12, 6.5.3), which writers put within the first box.
facts avif(std::string_view b) noexcept {
    constexpr std::size_t header_window = 4096;
    const auto at = b.substr(0, header_window).find("ispe");
    if (at == std::string_view::npos || at + 16 > b.size()) return {};
    return image_facts{"image/avif", "avif", big32(b, at + 8), big32(b, at + 12)};
}

} // namespace

std::optional<image_facts> facts_of_image(std::string_view b) noexcept {
    facts out;
    if (b.starts_with("\x89PNG\r\n\x1A\n"sv))
        out = png(b);
    else if (b.starts_with("\xFF\xD8\xFF"sv))
        out = jpeg(b);
    else if (b.starts_with("GIF87a") || b.starts_with("GIF89a"))
        out = gif(b);
    else if (b.size() > 12 && b.starts_with("RIFF") && b.substr(8, 4) == "WEBP")
        out = webp(b);
    else if (b.size() > 12 && b.substr(4, 4) == "ftyp" &&
             (b.substr(8, 4) == "avif" || b.substr(8, 4) == "avis"))
        out = avif(b);
    if (!out || out->width == 0 || out->height == 0) return {};
    return out;
}

} // namespace tiktrend::worker
