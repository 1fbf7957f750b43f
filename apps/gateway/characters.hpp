#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace tiktrend::gateway {

/// Code points of valid UTF-8: what docs/openapi.yaml counts (JSON Schema, maxLength).
inline std::size_t characters_of(std::string_view utf8) noexcept {
    return static_cast<std::size_t>(std::count_if(
        utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

} // namespace tiktrend::gateway
