#pragma once
#include <cstdint>
#include <string_view>

namespace tiktrend::catalog {

/// 64 bits of a text (MurmurHash64A), to notice that it is the same as before; no protection against somebody
/// who wants it to look the same. Stored in page_cache.digest and in products.content_hash: do not change.
std::uint64_t text_digest(std::string_view text, std::uint64_t seed = 0) noexcept;

} // namespace tiktrend::catalog
