#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace tiktrend::fetch {

/// An HTTP-date in any of the three forms of RFC 9110 section 5.6.7, as milliseconds since the Unix epoch.
std::optional<std::int64_t> parse_http_date(std::string_view text);

} // namespace tiktrend::fetch
