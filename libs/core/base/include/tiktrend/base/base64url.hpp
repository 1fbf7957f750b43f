#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend {

/// RFC 4648 section 5 without padding.
std::string encode_base64url(std::string_view bytes);

/// RFC 4648 section 5 without padding, strictly: other characters, a length of 4n + 1 and spare bits that are
/// not zero are refused, so that one value has one text.
std::optional<std::string> decode_base64url(std::string_view text);

} // namespace tiktrend
