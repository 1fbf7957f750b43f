#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiktrend::http {

/// Percent-decoding (RFC 3986); nullopt for a broken escape. `plus_is_blank` for form and query text.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank = false);

/// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3); fit for a path segment or a
/// query value.
std::string percent_encode(std::string_view text);

/// Decoded name=value pairs in order; repeated names stay. nullopt for a broken escape, bytes that are not
/// UTF-8 or a NUL.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

} // namespace tiktrend::http
