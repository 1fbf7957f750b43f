#pragma once
#include "values/reject.hpp"

#include <cstdint>
#include <string_view>

namespace tiktrend::sources {

/// "2.9k", "246.4K", "1,234 sold", "10+", "3万" → an integer. Without a letter behind it the separators group
/// (a count has no fraction), with one a single separator begins the fraction unless it groups ("1,234K").
converted<std::int64_t> count_from_text(std::string_view text);

/// A JSON number token without a fraction other than zeros.
converted<std::int64_t> count_from_json(std::string_view token);

} // namespace tiktrend::sources
