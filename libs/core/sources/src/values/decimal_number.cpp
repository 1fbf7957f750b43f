#include "values/decimal_number.hpp"

#include "glob.hpp"
#include "values/number_text.hpp"

#include <algorithm>
#include <charconv>

namespace tiktrend::sources {
namespace {

constexpr reject too_many_digits{"has more than 30 digits"};
constexpr reject out_of_range{"is out of range"};

__extension__ using wide = __int128; // 38 digits

std::string_view without_leading_zeros(std::string_view digits) noexcept {
    while (!digits.empty() && digits.front() == '0')
        digits.remove_prefix(1);
    return digits;
}

wide to_wide(std::string_view digits, std::size_t zeros) noexcept {
    wide value = 0;
    for (const char c : digits)
        value = value * 10 + (c - '0');
    while (zeros-- > 0)
        value *= 10;
    return value;
}

} // namespace

converted<decimal_number> decimal_number::make(bool is_negative, std::string_view integer,
                                               std::string_view fraction) {
    integer = without_leading_zeros(integer);
    if (integer.size() + fraction.size() > max_digits) {
        while (!fraction.empty() && fraction.back() == '0')
            fraction.remove_suffix(1);
        if (integer.size() + fraction.size() > max_digits) return too_many_digits;
    }
    decimal_number out;
    out.scale_ = fraction.size();
    out.digits_.assign(integer);
    out.digits_.append(fraction);
    if (const auto significant = without_leading_zeros(out.digits_); significant.empty()) {
        out.digits_ = "0";
        out.scale_ = 0;
    } else {
        out.is_negative_ = is_negative;
        // keep a zero in front of the point, drop the others
        const auto keep = std::max(significant.size(), out.scale_ + 1);
        if (out.digits_.size() < keep) out.digits_.insert(0, keep - out.digits_.size(), '0');
    }
    return out;
}

std::string decimal_number::text(std::size_t min_scale) const {
    std::string out;
    if (is_negative_) out += '-';
    const auto integer = digits_.size() - scale_;
    out.append(digits_, 0, integer);
    auto fraction = std::string_view{digits_}.substr(integer);
    while (fraction.size() > min_scale && fraction.back() == '0')
        fraction.remove_suffix(1);
    if (const auto places = std::max(fraction.size(), min_scale); places > 0) {
        out += '.';
        out.append(fraction);
        out.append(places - fraction.size(), '0');
    }
    return out;
}

std::strong_ordering operator<=>(const decimal_number& a, const decimal_number& b) noexcept {
    if (a.is_negative_ != b.is_negative_)
        return a.is_negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
    const auto magnitude = [&] {
        const std::string_view left{a.digits_};
        const std::string_view right{b.digits_};
        const auto left_integer = without_leading_zeros(left.substr(0, left.size() - a.scale_));
        const auto right_integer = without_leading_zeros(right.substr(0, right.size() - b.scale_));
        if (left_integer.size() != right_integer.size()) return left_integer.size() <=> right_integer.size();
        if (const int c = left_integer.compare(right_integer); c != 0) return c <=> 0;
        auto x = left.substr(left.size() - a.scale_);
        auto y = right.substr(right.size() - b.scale_);
        for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
            const char p = i < x.size() ? x[i] : '0';
            const char q = i < y.size() ? y[i] : '0';
            if (p != q) return p <=> q;
        }
        return std::strong_ordering::equal;
    }();
    return a.is_negative_ ? 0 <=> magnitude : magnitude;
}

decimal_number decimal_number::negated() const {
    auto out = *this;
    out.is_negative_ = !is_negative_ && !is_zero();
    return out;
}

converted<decimal_number> decimal_number::plus(const decimal_number& other) const {
    const auto scale = std::max(scale_, other.scale_);
    if (digits_.size() + scale - scale_ > 37 || other.digits_.size() + scale - other.scale_ > 37)
        return too_many_digits;
    wide a = to_wide(digits_, scale - scale_);
    wide b = to_wide(other.digits_, scale - other.scale_);
    if (is_negative_) a = -a;
    if (other.is_negative_) b = -b;
    wide sum = a + b;
    const bool is_below_zero = sum < 0;
    if (is_below_zero) sum = -sum;
    std::string digits;
    for (; sum != 0; sum /= 10)
        digits += static_cast<char>('0' + static_cast<int>(sum % 10));
    digits.append(digits.size() <= scale ? scale + 1 - digits.size() : 0, '0');
    std::reverse(digits.begin(), digits.end());
    const std::string_view all{digits};
    return make(is_below_zero, all.substr(0, all.size() - scale), all.substr(all.size() - scale));
}

converted<decimal_number> decimal_from_json(std::string_view token) {
    const bool is_negative = token.starts_with('-');
    if (is_negative) token.remove_prefix(1);
    const auto e = token.find_first_of("eE");
    auto mantissa = token.substr(0, e);
    const auto point = mantissa.find('.');
    auto integer = mantissa.substr(0, point);
    auto fraction = point == std::string_view::npos ? std::string_view{} : mantissa.substr(point + 1);
    if (e == std::string_view::npos) return decimal_number::make(is_negative, integer, fraction);

    auto written = token.substr(e + 1);
    if (written.starts_with('+')) written.remove_prefix(1);
    int exponent = 0;
    const auto [end, failure] = std::from_chars(written.data(), written.data() + written.size(), exponent);
    if (mantissa.size() > 2 * decimal_number::max_digits) return too_many_digits;
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
