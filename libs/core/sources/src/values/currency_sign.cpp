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
    {"£", "GBP", "EGP", false},
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
    {"元", "CNY", "TWD", false},
    {"¥", "JPY", "CNY", false},
    {"￥", "JPY", "CNY", false},
    {"руб", "RUB", "BYN", false},
    {"грн", "UAH", "", false},
    {"лв", "BGN", "", false},
    {"Ft", "HUF", "", true},
    {"lei", "RON", "", true},
    {"Lei", "RON", "", true},
    {"kr", "", "SEK NOK DKK ISK", true},
    {"Kr", "", "SEK NOK DKK ISK", true},
    {"Rs", "INR", "PKR", true},
    {"Rp", "IDR", "", true},
    {"RM", "MYR", "", true},
    {"S/", "PEN", "", false},
    {"Fr.", "CHF", "", true},
    {"TL", "TRY", "", true},
    {"дин", "RSD", "", false},
    {"din", "RSD", "", true},
    {"р.", "RUB", "BYN", false},
    {"$", "USD", "ARS AUD CAD CLP COP HKD MXN NZD SGD TWD UYU", false},
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

} // namespace

std::optional<std::string_view> currency_of_country(std::string_view country) noexcept {
    if (country.size() != 2) return std::nullopt;
    for (std::size_t at = 0; at + 7 <= countries.size(); at += 7)
        if (countries.substr(at, 2) == country) return countries.substr(at + 3, 3);
    return std::nullopt;
}

std::optional<std::string> currency_in(std::string_view text, std::string_view country) {
    text = text.substr(0, 400);
    // A code of three capital letters by itself.
    for (std::size_t i = 0; i + 3 <= text.size(); ++i) {
        const bool is_alone =
            (i == 0 || !is_letter(text[i - 1])) && (i + 3 == text.size() || !is_letter(text[i + 3]));
        if (is_alone && minor_unit_of(text.substr(i, 3))) return std::string{text.substr(i, 3)};
    }
    const auto local = currency_of_country(country);
    for (const auto& s : signs) {
        if (!stands(text, s)) continue;
        if (local && (*local == s.code || s.family.find(*local) != std::string_view::npos))
            return std::string{*local};
        if (s.code.empty()) return std::nullopt;
        return std::string{s.code};
    }
    return std::nullopt;
}

} // namespace tiktrend::sources
