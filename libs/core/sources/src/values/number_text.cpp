#include "values/number_text.hpp"

#include "json_strings.hpp"

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_separator(char c) noexcept {
    return c == '.' || c == ',' || c == '\'' || c == ' ' || c == arabic_decimal_sign ||
           c == arabic_thousands_sign;
}

/// Code points of the digit zero in scripts that shops use.
constexpr std::array<char32_t, 9> zeros{0x0660, 0x06F0, 0x0966, 0x09E6, 0x0A66,
                                        0x0E50, 0x0ED0, 0x1040, 0xFF10};

void append_plain(std::string& out, char32_t c) {
    for (const auto zero : zeros)
        if (c >= zero && c < zero + 10) {
            out += static_cast<char>('0' + (c - zero));
            return;
        }
    switch (c) {
    case 0x066B:
        out += arabic_decimal_sign;
        return;
    case 0x066C:
        out += arabic_thousands_sign;
        return;
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2015:
    case 0x2212:
    case 0xFF0D:
        out += '-';
        return;
    case 0x301C:
    case 0xFF5E:
        out += '~';
        return;
    case 0x00A0:
    case 0x2007:
    case 0x2009:
    case 0x202F:
        out += ' ';
        return;
    case 0x2019:
    case 0x02BC:
        out += '\'';
        return;
    case 0xFF0E:
        out += '.';
        return;
    case 0xFF0C:
        out += ',';
        return;
    case 0xFF05:
        out += '%';
        return;
    default:
        append_utf8(out, c);
    }
}

/// True if three digits and no more follow at `at`: what a blank or an apostrophe must have behind it to
/// group.
bool is_group(std::string_view text, std::size_t at) noexcept {
    for (std::size_t i = at; i < at + 3; ++i)
        if (i >= text.size() || !is_digit(text[i])) return false;
    return at + 3 >= text.size() || !is_digit(text[at + 3]);
}

std::size_t end_of_number(std::string_view text, std::size_t at) noexcept {
    while (at < text.size()) {
        if (is_digit(text[at])) {
            ++at;
        } else if (is_separator(text[at]) && at + 1 < text.size() && is_digit(text[at + 1])) {
            if ((text[at] == ' ' || text[at] == '\'') && !is_group(text, at + 1)) break;
            ++at;
        } else {
            break;
        }
    }
    return at;
}

} // namespace

number_text::number_text(std::string_view text) {
    plain_.reserve(text.size());
    while (!text.empty())
        append_plain(plain_, take_utf8(text));
    const std::string_view plain{plain_};
    for (std::size_t at = 0; at < plain.size();) {
        const bool is_bare_fraction =
            (plain[at] == '.' || plain[at] == ',') && at + 1 < plain.size() && is_digit(plain[at + 1]);
        if (!is_digit(plain[at]) && !is_bare_fraction) {
            ++at;
            continue;
        }
        const auto end = end_of_number(plain, at);
        numbers_.push_back(plain.substr(at, end - at));
        at = end;
    }
}

std::string_view number_text::before(std::size_t i) const noexcept {
    const char* from = i == 0 ? plain_.data() : numbers_[i - 1].data() + numbers_[i - 1].size();
    return {from, static_cast<std::size_t>(numbers_[i].data() - from)};
}

std::string_view number_text::after(std::size_t i) const noexcept {
    const char* from = numbers_[i].data() + numbers_[i].size();
    const char* to = i + 1 < numbers_.size() ? numbers_[i + 1].data() : plain_.data() + plain_.size();
    return {from, static_cast<std::size_t>(to - from)};
}

converted<decimal_number> resolve_separators(std::string_view number, decimal_rule rule, int minor_unit) {
    constexpr auto none = std::string_view::npos;
    const auto count = [&](char c) { return std::count(number.begin(), number.end(), c); };
    const auto points = count('.');
    const auto commas = count(',');
    std::size_t fraction_at = number.find(arabic_decimal_sign);

    if (fraction_at == none && rule != decimal_rule::automatic) {
        const char sign = rule == decimal_rule::dot ? '.' : ',';
        if (count(sign) > 1) return reject{"has more than one decimal separator"};
        fraction_at = number.find(sign);
    } else if (fraction_at == none && points > 0 && commas > 0) {
        fraction_at = number.find_last_of(".,");
        if (count(number[fraction_at]) > 1) return reject{"mixes its separators"};
    } else if (fraction_at == none && points + commas == 1) {
        const auto at = number.find_first_of(".,");
        const auto behind = number.size() - at - 1;
        const auto front = number.substr(0, at);
        if (behind != 3 || front.empty() || front == "0" || minor_unit == 3 ||
            (front.size() > 3 && front.find_first_of(" '") == none))
            fraction_at = at;
        else if (minor_unit < 0)
            return reject{"could mean thousands or a fraction; the currency is unknown"};
    }

    // What stands in front of the fraction is digits in groups of three (two are allowed but at the end, as
    // in India).
    std::string integer;
    const auto whole = number.substr(0, fraction_at);
    std::size_t group = 0;
    bool is_grouped = false;
    for (std::size_t i = 0; i <= whole.size(); ++i) {
        if (i < whole.size() && is_digit(whole[i])) {
            integer += whole[i];
            ++group;
            continue;
        }
        const bool is_last = i == whole.size();
        if (is_grouped ? !(group == 3 || (group == 2 && !is_last)) : (!is_last && (group == 0 || group > 3)))
            return reject{"groups its digits oddly"};
        is_grouped = true;
        group = 0;
    }
    const auto fraction = fraction_at == none ? std::string_view{} : number.substr(fraction_at + 1);
    if (!std::all_of(fraction.begin(), fraction.end(), is_digit)) return reject{"mixes its separators"};
    return decimal_number::make(false, integer, fraction);
}

} // namespace tiktrend::sources
