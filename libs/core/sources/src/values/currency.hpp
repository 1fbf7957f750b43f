#pragma once
#include "values/reject.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// Digits behind the point that a currency has (ISO 4217): 2 for EUR, 0 for JPY, 3 for KWD. Nothing for codes
/// that are not in use. `code` is upper case.
std::optional<int> minor_unit_of(std::string_view code) noexcept;

/// The ISO 4217 code that `text` gives ("pln" → "PLN").
converted<std::string> currency_from_text(std::string_view text);

} // namespace tiktrend::sources
