#include "values/money.hpp"

#include "glob.hpp"
#include "values/number_text.hpp"

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

constexpr reject negative{"is negative"};

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// "30.00", "1299": what nearly all shops send, read without the general machinery.
bool is_plain_price(std::string_view text) noexcept {
    const auto point = text.find('.');
    const auto integer = text.substr(0, point);
    if (integer.empty() || integer.size() > 15 || !std::all_of(integer.begin(), integer.end(), is_digit))
        return false;
    if (point == std::string_view::npos) return true;
    const auto fraction = text.substr(point + 1);
    return (fraction.size() == 1 || fraction.size() == 2) &&
           std::all_of(fraction.begin(), fraction.end(), is_digit);
}

/// A minus belongs to the number when nothing but blanks and currency signs stands between: "-5", "-$5", "$
/// -5".
bool has_minus(std::string_view before) noexcept {
    const auto minus = before.rfind('-');
    if (minus == std::string_view::npos) return false;
    const auto between = before.substr(minus + 1);
    return std::none_of(between.begin(), between.end(), is_letter);
}

bool is_range_sign(std::string_view between) noexcept {
    if (has_range_dash(between)) return true;
    constexpr std::array<std::string_view, 8> words{"to", "bis", "a", "à", "au", "do", "až", "до"};
    for (const auto word : words) {
        // as a word of its own: "5 € to 7 €", "EUR 5 bis EUR 7"
        const auto at = between.find(word);
        if (at == std::string_view::npos) continue;
        const bool starts = at > 0 && between[at - 1] == ' ';
        const bool ends = at + word.size() < between.size() && between[at + word.size()] == ' ';
        if (starts && ends) return true;
    }
    return false;
}

converted<price_range> single(const converted<decimal_number>& amount) {
    if (!amount) return amount.error();
    if (amount->is_negative()) return negative;
    return price_range{*amount, *amount};
}

} // namespace

converted<price_range> price_from_text(std::string_view text, decimal_rule rule, int minor_unit) {
    text = trim_blanks(text);
    if (rule != decimal_rule::comma && is_plain_price(text)) {
        const auto point = std::min(text.find('.'), text.size());
        return single(decimal_number::make(false, text.substr(0, point),
                                           text.substr(std::min(point + 1, text.size()))));
    }
    if (text.size() > 200) return reject{"is too long for a price"};
    const number_text scanned{text};
    const auto& numbers = scanned.numbers();
    if (numbers.empty()) return reject{"has no number"};
    if (numbers.size() > 2) return reject{"has more than two numbers"};
    if (trim_blanks(scanned.after(numbers.size() - 1)).starts_with('%')) return reject{"is a percentage"};
    if (has_minus(scanned.before(0))) return negative;
    const auto low = resolve_separators(numbers.front(), rule, minor_unit);
    if (numbers.size() == 1 || !low) return single(low);
    if (!is_range_sign(scanned.after(0))) return reject{"has two numbers that are no range"};
    const auto high = resolve_separators(numbers.back(), rule, minor_unit);
    if (!high) return high.error();
    return price_range{std::min(*low, *high), std::max(*low, *high)};
}

converted<price_range> price_from_json(std::string_view token, decimal_rule rule, int minor_unit) {
    const auto point = token.find('.');
    if (point != std::string_view::npos && rule != decimal_rule::dot) {
        const auto integer = token.substr(0, point);
        const auto fraction = token.substr(point + 1);
        const bool is_grouped =
            fraction.size() == 3 && std::all_of(fraction.begin(), fraction.end(), is_digit) &&
            integer.size() <= 3 && integer != "0" && std::all_of(integer.begin(), integer.end(), is_digit);
        if (is_grouped && (rule == decimal_rule::comma || minor_unit == 0))
            return single(decimal_number::make(false, std::string{integer}.append(fraction), {}));
    }
    return single(decimal_from_json(token));
}

bool has_range_dash(std::string_view between) noexcept {
    const auto at = between.find_first_of("-~");
    if (at == std::string_view::npos) return false;
    const auto next = at + 1 < between.size() ? between[at + 1] : ' ';
    return !(next >= 'a' && next <= 'z');
}

std::string price_text(const decimal_number& amount, int minor_unit) {
    return amount.text(minor_unit < 0 ? 2 : minor_unit);
}

} // namespace tiktrend::sources
