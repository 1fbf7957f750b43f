#pragma once
// Numbers in human text: "1.234,50 €", "$24.17 - 24.69", "30,000원~", "١٢٣".
#include "values/decimal_number.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// A text in a plain form, with the numbers in it marked. Digits of every common script become ASCII, dashes
/// and minus signs
/// '-', tildes '~', no-break and thin spaces ' ', typographic apostrophes '\''.
class number_text {
public:
    explicit number_text(std::string_view text);

    /// Views into this object: digits with the separators between them.
    const std::vector<std::string_view>& numbers() const noexcept { return numbers_; }
    std::string_view
    before(std::size_t i) const noexcept; ///< from the number before (or the start) to number `i`
    std::string_view after(std::size_t i) const noexcept; ///< from number `i` to the next one (or the end)

    number_text(const number_text&) = delete;
    number_text& operator=(const number_text&) = delete;

private:
    std::string plain_;
    std::vector<std::string_view> numbers_;
};

inline constexpr char arabic_decimal_sign = '\x01';   ///< U+066B in plain form: always begins a fraction
inline constexpr char arabic_thousands_sign = '\x02'; ///< U+066C in plain form: always groups

/// Decides which separators of `number` group and which begins the fraction.
///
/// Both kinds: the last one begins the fraction. One kind several times: groups. One, not followed by exactly
/// three digits: fraction. One, followed by exactly three: by `minor_unit` of the currency: 3 → fraction, 0
/// or 2 → groups (24.990 pesos), unknown (-1) → refused as ambiguous, for a price wrong by a thousand is
/// worse than none. A leading zero or more than three digits in front mean a fraction. With a rule other than
/// automatic nothing is guessed.
converted<decimal_number> resolve_separators(std::string_view number, decimal_rule rule, int minor_unit);

} // namespace tiktrend::sources
