#include "values/count.hpp"

#include "glob.hpp"
#include "values/number_text.hpp"

#include <charconv>

namespace tiktrend::sources {
namespace {

constexpr reject out_of_range{"is out of range"};
constexpr reject negative{"is negative"};

converted<std::int64_t> to_whole(const decimal_number& number) {
    if (number.is_negative()) return negative;
    const auto text = number.text();
    if (text.find('.') != std::string::npos) return reject{"is not a whole number"};
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{}) return out_of_range;
    return value;
}

/// Zeros that the letter (or sign) behind a number stands for; 0 for none. Only a letter that ends its word
/// counts: "5 mugs" is five.
int zeros_of(std::string_view behind) noexcept {
    for (const auto& [sign, zeros] :
         {std::pair{std::string_view{"万"}, 4}, {"萬", 4}, {"만", 4}, {"億", 8}, {"亿", 8}, {"억", 8}})
        if (behind.starts_with(sign)) return zeros;
    if (behind.starts_with(' ')) behind.remove_prefix(1);
    if (behind.empty()) return 0;
    const auto next = behind.size() > 1 ? behind[1] : ' ';
    if ((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z')) return 0;
    switch (behind.front()) {
    case 'k':
    case 'K':
        return 3;
    case 'm':
    case 'M':
        return 6;
    case 'b':
    case 'B':
        return 9;
    default:
        return 0;
    }
}

} // namespace

converted<std::int64_t> count_from_text(std::string_view text) {
    text = trim_blanks(text);
    std::int64_t plain = 0;
    if (const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), plain);
        failure == std::errc{} && end == text.data() + text.size()) {
        if (plain < 0) return negative;
        return plain;
    }
    if (text.size() > 200) return reject{"is too long for a count"};
    const number_text scanned{text};
    if (scanned.numbers().empty()) return reject{"has no number"};
    if (scanned.numbers().size() > 1) return reject{"has more than one number"};
    if (trim_blanks(scanned.before(0)).ends_with('-')) return negative;
    if (trim_blanks(scanned.after(0)).starts_with('%')) return reject{"is a percentage"};
    const int zeros = zeros_of(scanned.after(0));
    const auto number = scanned.numbers().front();
    // "1,234K" groups, "1.234K" and "2,9k" are fractions; without a letter everything groups.
    const bool has_group =
        number.find(',') != std::string_view::npos && number.size() - number.rfind(',') == 4;
    const auto amount = zeros == 0  ? resolve_separators(number, decimal_rule::automatic, 0)
                        : has_group ? resolve_separators(number, decimal_rule::dot, -1)
                                    : resolve_separators(number, decimal_rule::automatic, 3);
    if (!amount) return amount.error();
    if (zeros == 0) return to_whole(*amount);
    const auto scaled = decimal_from_json(amount->text() + "e" + std::to_string(zeros));
    if (!scaled) return scaled.error();
    return to_whole(*scaled);
}

converted<std::int64_t> count_from_json(std::string_view token) {
    std::int64_t plain = 0;
    if (const auto [end, failure] = std::from_chars(token.data(), token.data() + token.size(), plain);
        failure == std::errc{} && end == token.data() + token.size()) {
        if (plain < 0) return negative;
        return plain;
    }
    const auto number = decimal_from_json(token);
    if (!number) return number.error();
    return to_whole(*number);
}

} // namespace tiktrend::sources
