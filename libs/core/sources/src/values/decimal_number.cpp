#include "values/decimal_number.hpp"

#include "glob.hpp"
#include "values/number_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace tiktrend::sources {
namespace {

constexpr reject too_many_digits{"has more than 30 digits"};
constexpr reject out_of_range{"is out of range"};

__extension__ using wide = __int128;

constexpr wide power_of_ten(int n) noexcept {
    wide out = 1;
    while (n-- > 0)
        out *= 10;
    return out;
}

/// 10^0 to 10^18: those of 64 bits.
constexpr auto small_powers = [] {
    std::array<std::int64_t, 19> out{};
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<std::int64_t>(power_of_ten(static_cast<int>(i)));
    return out;
}();

constexpr bool fits_64_bits(wide n) noexcept {
    return n == static_cast<std::int64_t>(n);
}

std::string_view without_leading_zeros(std::string_view digits) noexcept {
    while (!digits.empty() && digits.front() == '0')
        digits.remove_prefix(1);
    return digits;
}

} // namespace

converted<decimal_number> decimal_number::make(bool is_negative, std::string_view integer,
                                               std::string_view fraction) {
    integer = without_leading_zeros(integer);
    while (!fraction.empty() && fraction.back() == '0')
        fraction.remove_suffix(1);
    if (integer.size() + fraction.size() > max_digits) return too_many_digits;
    decimal_number out;
    std::uint64_t low = 0; // as long as it fits, which is nearly always
    if (integer.size() + fraction.size() <= 19) {
        for (const char c : integer)
            low = low * 10 + static_cast<unsigned char>(c - '0');
        for (const char c : fraction)
            low = low * 10 + static_cast<unsigned char>(c - '0');
        out.digits_ = low;
    } else {
        for (const char c : integer)
            out.digits_ = out.digits_ * 10 + (c - '0');
        for (const char c : fraction)
            out.digits_ = out.digits_ * 10 + (c - '0');
    }
    out.scale_ = static_cast<int>(fraction.size());
    if (is_negative) out.digits_ = -out.digits_;
    return out;
}

std::string decimal_number::text(int min_scale) const {
    std::array<char, 48> buffer; // 30 digits, a sign, a point, zeros
    char* at = buffer.data() + buffer.size();
    wide rest = digits_ < 0 ? -digits_ : digits_;
    const int places = std::max(scale_, min_scale);
    int written = 0;
    for (; written < places - scale_; ++written)
        *--at = '0';
    while (rest != 0 || written <= places) {
        if (written == places && places > 0) *--at = '.';
        if (rest <= static_cast<wide>(~std::uint64_t{0})) { // divide 64 bits where they suffice
            auto low = static_cast<std::uint64_t>(rest);
            *--at = static_cast<char>('0' + low % 10);
            rest = low / 10;
        } else {
            *--at = static_cast<char>('0' + static_cast<int>(rest % 10));
            rest /= 10;
        }
        ++written;
    }
    if (digits_ < 0) *--at = '-';
    return {at, buffer.data() + buffer.size()};
}

std::strong_ordering operator<=>(const decimal_number& a, const decimal_number& b) noexcept {
    if (a.scale_ == b.scale_) return a.digits_ <=> b.digits_;
    // What fits 64 bits is brought to the same scale within 128; nearly all numbers do.
    const auto places =
        static_cast<std::size_t>(a.scale_ > b.scale_ ? a.scale_ - b.scale_ : b.scale_ - a.scale_);
    if (places < small_powers.size() && fits_64_bits(a.digits_) && fits_64_bits(b.digits_))
        return a.scale_ < b.scale_ ? a.digits_ * small_powers[places] <=> b.digits_
                                   : a.digits_ <=> b.digits_ * small_powers[places];
    // By whole parts first, then by fractions of the same length: nothing overflows.
    const auto ten_a = power_of_ten(a.scale_);
    const auto ten_b = power_of_ten(b.scale_);
    const auto whole_a = a.digits_ / ten_a;
    const auto whole_b = b.digits_ / ten_b;
    if (whole_a != whole_b) return whole_a <=> whole_b;
    const int scale = std::max(a.scale_, b.scale_);
    return a.digits_ % ten_a * power_of_ten(scale - a.scale_) <=>
           b.digits_ % ten_b * power_of_ten(scale - b.scale_);
}

decimal_number decimal_number::negated() const noexcept {
    auto out = *this;
    out.digits_ = -digits_;
    return out;
}

converted<decimal_number> decimal_number::plus(const decimal_number& other) const {
    const int scale = std::max(scale_, other.scale_);
    const auto aligned = [&](const decimal_number& n) -> std::optional<wide> {
        const auto factor = power_of_ten(scale - n.scale_);
        const auto most = power_of_ten(37) / factor;
        if (n.digits_ > most || n.digits_ < -most) return std::nullopt;
        return n.digits_ * factor;
    };
    const auto a = aligned(*this);
    const auto b = aligned(other);
    if (!a || !b) return too_many_digits;
    decimal_number sum;
    sum.digits_ = *a + *b;
    sum.scale_ = scale;
    while (sum.scale_ > 0 && sum.digits_ % 10 == 0) {
        sum.digits_ /= 10;
        --sum.scale_;
    }
    const auto most = power_of_ten(max_digits);
    if (sum.digits_ >= most || sum.digits_ <= -most) return too_many_digits;
    return sum;
}

converted<decimal_number> decimal_from_json(std::string_view token) {
    const bool is_negative = token.starts_with('-');
    if (is_negative) token.remove_prefix(1);
    const auto e = std::find_if(token.begin(), token.end(), [](char c) { return c == 'e' || c == 'E'; });
    const std::string_view mantissa{token.begin(), e};
    const auto point = std::find(mantissa.begin(), mantissa.end(), '.');
    const std::string_view integer{mantissa.begin(), point};
    const auto fraction =
        point == mantissa.end() ? std::string_view{} : std::string_view{point + 1, mantissa.end()};
    if (e == token.end()) return decimal_number::make(is_negative, integer, fraction);

    std::string_view written{e + 1, token.end()};
    if (written.starts_with('+')) written.remove_prefix(1);
    int exponent = 0;
    const auto [end, failure] = std::from_chars(written.data(), written.data() + written.size(), exponent);
    if (mantissa.size() > std::size_t{2} * decimal_number::max_digits) return too_many_digits;
    std::string digits{integer};
    digits.append(fraction);
    if (without_leading_zeros(digits).empty()) return decimal_number{};
    if (failure != std::errc{} || exponent > 64 || exponent < -64) return out_of_range;
    auto where = static_cast<int>(integer.size()) + exponent; // of the point within digits
    if (where > static_cast<int>(digits.size()))
        digits.append(static_cast<std::size_t>(where) - digits.size(), '0');
    if (where < 0) {
        digits.insert(0, static_cast<std::size_t>(-where), '0');
        where = 0;
    }
    const std::string_view all{digits};
    const auto at = static_cast<std::size_t>(where);
    auto made = decimal_number::make(is_negative, all.substr(0, at), all.substr(at));
    if (!made) return out_of_range;
    return made;
}

converted<decimal_number> decimal_from_text(std::string_view text, decimal_rule rule) {
    const number_text scanned{text};
    if (scanned.numbers().size() != 1) return reject{"is not one number"};
    const auto& only = scanned.numbers().front();
    const auto before = trim_blanks(scanned.before(0));
    const auto after = trim_blanks(scanned.after(0));
    if (!(before.empty() || before == "-" || before == "+") || !(after.empty() || after == "%"))
        return reject{"is not one number"};
    // Three digits behind a lone point are a fraction here; ratings and percentages are not grouped.
    auto number = resolve_separators(only, rule, 3);
    if (!number) return number.error();
    if (before != "-") return number;
    return number->negated();
}

} // namespace tiktrend::sources
