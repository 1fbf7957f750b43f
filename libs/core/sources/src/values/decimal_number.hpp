#pragma once
// Exact decimals. Prices and ratings are compared and added as digits; a double never sees them.
#include "values/reject.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// How a source writes numbers in text: which of point and comma begins the fraction.
enum class decimal_rule : std::uint8_t { automatic, dot, comma };

/// 128 bits hold every number of max_digits digits exactly, and values are copied like ints.
class decimal_number {
public:
    static constexpr int max_digits = 30;

    decimal_number() = default;
    /// `integer` and `fraction` are ASCII digits. Refused beyond max_digits in all (zeros at the ends do not
    /// count).
    static converted<decimal_number> make(bool is_negative, std::string_view integer,
                                          std::string_view fraction);

    bool is_negative() const noexcept { return digits_ < 0; }
    bool is_zero() const noexcept { return digits_ == 0; }

    /// Without zeros at the end of the fraction, but with at least `min_scale` digits there.
    std::string text(int min_scale = 0) const;

    friend std::strong_ordering operator<=>(const decimal_number& a, const decimal_number& b) noexcept;
    friend bool operator==(const decimal_number& a, const decimal_number& b) noexcept {
        return (a <=> b) == 0;
    }

    decimal_number negated() const noexcept;
    converted<decimal_number> plus(const decimal_number& other) const;

private:
    __extension__ using wide = __int128; // 38 digits

    wide digits_ = 0; ///< the value times ten to the power of scale_
    int scale_ = 0;   ///< digits behind the point, zeros at the end not counted
};

/// A JSON number token, exponent and all.
converted<decimal_number> decimal_from_json(std::string_view token);

/// Text that is one number and nothing else but blanks, a sign and perhaps a percent sign.
converted<decimal_number> decimal_from_text(std::string_view text, decimal_rule rule);

} // namespace tiktrend::sources
