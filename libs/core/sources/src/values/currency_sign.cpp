#include "values/currency_sign.hpp"

#include "values/currency.hpp"

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

/// Country and currency, eight bytes each: "DE EUR".
constexpr std::string_view countries =
    "AE AED AR ARS AT EUR AU AUD BD BDT BE EUR BG BGN BR BRL BY BYN CA CAD CH CHF CL CLP CN CNY CO COP CR "
    "CRC "
    "CY EUR CZ CZK DE EUR DK DKK EE EUR EG EGP ES EUR FI EUR FR EUR GB GBP GR EUR HK HKD HR EUR HU HUF ID "
    "IDR "
    "IE EUR IL ILS IN INR IS ISK IT EUR JP JPY KE KES KR KRW KW KWD KZ KZT LT EUR LU EUR LV EUR MA MAD MT "
    "EUR "
    "MX MXN MY MYR NG NGN NL EUR NO NOK NZ NZD PE PEN PH PHP PK PKR PL PLN PT EUR QA QAR RO RON RS RSD RU "
    "RUB "
    "SA SAR SE SEK SG SGD SI EUR SK EUR TH THB TR TRY TW TWD UA UAH US USD UY UYU VN VND ZA ZAR ";

struct sign {
    std::string_view text;
    std::string_view code;   ///< what it means without a country; empty: nothing
    std::string_view family; ///< codes that it may mean instead
    bool is_word = false;    ///< letters stand neither before nor behind
};

// Longer signs before those that they hold.
constexpr std::array<sign, 50> signs{{
    {"US$", "USD", "", false},
    {"CA$", "CAD", "", false},
    {"AU$", "AUD", "", false},
    {"NZ$", "NZD", "", false},
    {"HK$", "HKD", "", false},
    {"NT$", "TWD", "", false},
    {"MX$", "MXN", "", false},
    {"R$", "BRL", "", false},
    {"C$", "CAD", "", true},
    {"A$", "AUD", "", true},
    {"S$", "SGD", "", true},
    {"€", "EUR", "", false},
    {"£", "GBP", "EGP GIP LBP", false},
    {"₹", "INR", "", false},
    {"₩", "KRW", "", false},
    {"원", "KRW", "", false},
    {"₽", "RUB", "", false},
    {"₴", "UAH", "", false},
    {"₺", "TRY", "", false},
    {"₪", "ILS", "", false},
    {"₫", "VND", "", false},
    {"฿", "THB", "", false},
    {"₱", "PHP", "", false},
    {"₦", "NGN", "", false},
    {"₸", "KZT", "", false},
    {"zł", "PLN", "", false},
    {"Kč", "CZK", "", false},
    {"kč", "CZK", "", false},
    {"円", "JPY", "", false},
    {"元", "CNY", "TWD HKD MOP", false},
    {"¥", "JPY", "CNY", false},
    {"￥", "JPY", "CNY", false},
    {"руб", "RUB", "BYN", false},
    {"грн", "UAH", "", false},
    {"лв", "BGN", "", false},
    {"Ft", "HUF", "", true},
    {"lei", "RON", "MDL", true},
    {"Lei", "RON", "MDL", true},
    {"kr", "", "SEK NOK DKK ISK", true},
    {"Kr", "", "SEK NOK DKK ISK", true},
    {"Rs", "INR", "PKR LKR NPR MUR", true},
    {"Rp", "IDR", "", true},
    {"RM", "MYR", "", true},
    {"S/", "PEN", "", false},
    {"Fr.", "CHF", "", true},
    {"TL", "TRY", "", true},
    {"дин", "RSD", "", false},
    {"din", "RSD", "", true},
    {"р.", "RUB", "BYN", false},
    {"$", "USD",
     "ARS AUD BBD BMD BND BSD BZD CAD CLP COP DOP FJD HKD JMD KYD MXN NAD NIO NZD SGD TTD TWD UYU XCD",
     false},
}};

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<signed char>(c) < 0;
}

bool stands(std::string_view text, const sign& s) noexcept {
    for (std::size_t at = 0; (at = text.find(s.text, at)) != std::string_view::npos; at += s.text.size()) {
        if (!s.is_word) return true;
        const auto end = at + s.text.size();
        const bool is_glued =
            (at > 0 && is_letter(text[at - 1])) || (end < text.size() && is_letter(text[end]));
        if (!is_glued) return true;
    }
    return false;
}

/// No-break spaces, the narrow one too, become ordinary ones: "EUR\u00A019,99".
std::string with_plain_blanks(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t blank = text.starts_with("\u00A0") ? 2 : text.starts_with("\u202F") ? 3 : 0;
        out += blank > 0 ? ' ' : text.front();
        text.remove_prefix(std::max<std::size_t>(blank, 1));
    }
    return out;
}

/// Whether nothing but blanks and a point or a colon stands between the code at `at` and a number.
bool is_beside_number(std::string_view text, std::size_t at) noexcept {
    constexpr std::string_view between = " .:";
    const auto before = text.substr(0, at).find_last_not_of(between);
    const auto behind = text.find_first_not_of(between, at + 3);
    const auto is_digit = [&](std::size_t i) {
        return i != std::string_view::npos && text[i] >= '0' && text[i] <= '9';
    };
    return is_digit(before) || is_digit(behind);
}

/// A code of three capital letters by itself; where there are numbers, beside one of them.
std::string_view code_in(std::string_view text) noexcept {
    const bool has_numbers = text.find_first_of("0123456789") != std::string_view::npos;
    for (std::size_t i = 0; i + 3 <= text.size(); ++i) {
        const bool is_alone =
            (i == 0 || !is_letter(text[i - 1])) && (i + 3 == text.size() || !is_letter(text[i + 3]));
        if (is_alone && minor_unit_of(text.substr(i, 3)) && (!has_numbers || is_beside_number(text, i)))
            return text.substr(i, 3);
    }
    return {};
}

} // namespace

std::optional<std::string_view> currency_of_country(std::string_view country) noexcept {
    if (country.size() != 2) return std::nullopt;
    for (std::size_t at = 0; at + 7 <= countries.size(); at += 7)
        if (countries.substr(at, 2) == country) return countries.substr(at + 3, 3);
    return std::nullopt;
}

std::optional<std::string> currency_in(std::string_view given, std::string_view country) {
    const auto plain = with_plain_blanks(given.substr(0, 400));
    const std::string_view text{plain};
    const auto found =
        std::find_if(signs.begin(), signs.end(), [&](const sign& s) { return stands(text, s); });
    const auto* s = found != signs.end() ? &*found : nullptr;
    const auto means = [&](std::string_view code) {
        return code == s->code || s->family.find(code) != std::string_view::npos;
    };
    const auto code = code_in(text);
    // Some words are codes ("TOP", "ALL", "TRY"), so a code beside a sign counts only if it makes that
    // clearer.
    if (!code.empty() && (s == nullptr || means(code))) return std::string{code};
    if (s == nullptr) return std::nullopt;
    if (const auto local = currency_of_country(country); local && means(*local)) return std::string{*local};
    if (s->code.empty()) return std::nullopt;
    return std::string{s->code};
}

} // namespace tiktrend::sources
