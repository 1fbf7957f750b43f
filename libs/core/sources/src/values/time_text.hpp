#pragma once
#include "values/reject.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// Milliseconds since the Unix epoch from: Unix seconds or milliseconds (11 digits and more), ISO 8601 dates
/// and date-times (without offset: UTC), HTTP dates (RFC 9110 section 5.6.7, all three forms but asctime).
converted<std::int64_t> time_from_text(std::string_view text);

/// "2022-03-08T20:09:19Z", with milliseconds only when there are some.
std::string time_to_text(std::int64_t ms);

} // namespace tiktrend::sources
