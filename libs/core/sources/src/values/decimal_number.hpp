#pragma once
// Exact decimals. Prices and ratings are compared and added as digits; a double never sees them.
#include "values/reject.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// How a source writes numbers in text: which of point and comma begins the fraction.
enum class decimal_rule : std::uint8_t { automatic, dot, comma };

class decimal_number {
public:
    static constexpr std::size_t max_digits = 30;

    decimal_number() = default;
    /// `integer` and `fraction` are ASCII digits; leading zeros are dropped. Refused beyond max_digits in
    /// all.
    static converted<decimal_number> make(bool is_negative, std::string_view integer,
                                          std::string_view fraction);

    bool is_negative() const noexcept { return is_negative_; }
    bool is_zero() const noexcept { return digits_ == "0"; }
    /// Digits after the point, counting zeros at the end.
    std::size_t scale() const noexcept { return scale_; }

    /// Without zeros at the end of the fraction, but with at least `min_scale` digits there.
    std::string text(std::size_t min_scale = 0) const;

    friend std::strong_ordering operator<=>(const decimal_number& a, const decimal_number& b) noexcept;
    friend bool operator==(const decimal_number& a, const decimal_number& b) noexcept {
        return (a <=> b) == 0;
    }

    decimal_number negated() const;
    converted<decimal_number> plus(const decimal_number& other) const;

private:
    bool is_negative_ = false;
    std::string digits_ =
        "0"; ///< all digits without leading zeros, at least scale_ + 1 of them unless the value is zero
    std::size_t scale_ = 0;
};

/// A JSON number token, exponent and all.
converted<decimal_number> decimal_from_json(std::string_view token);

/// Text that is one number and nothing else but blanks, a sign and perhaps a percent sign.
converted<decimal_number> decimal_from_text(std::string_view text, decimal_rule rule);

} // namespace tiktrend::sources
