#pragma once
// Prices. The rules and the reason for each stand at resolve_separators().
#include "values/decimal_number.hpp"

#include <string>
#include <string_view>

namespace tiktrend::sources {

/// What a price text says: one amount (both equal) or a range.
struct price_range {
    decimal_number low;
    decimal_number high;
};

/// `minor_unit` is that of the currency, -1 when it is unknown.
converted<price_range> price_from_text(std::string_view text, decimal_rule rule, int minor_unit);

/// A JSON number token. It means what JSON says, with one exception that real pages need: exactly three
/// digits behind the point under a currency without minor unit (or under the comma rule) are thousands:
/// "price": 24.990 for 24,990 pesos.
converted<price_range> price_from_json(std::string_view token, decimal_rule rule, int minor_unit);

/// Whether a dash or a tilde between two numbers makes them a range. That of "3-pack $5" does not: a word
/// hangs on it.
bool has_range_dash(std::string_view between) noexcept;

/// Canonical text: padded to the minor unit (two digits when it is unknown), further zeros dropped.
std::string price_text(const decimal_number& amount, int minor_unit);

} // namespace tiktrend::sources
