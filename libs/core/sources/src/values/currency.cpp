#include "values/currency.hpp"

#include "glob.hpp"

#include <array>
#include <cstdint>

namespace tiktrend::sources {
namespace {

// Active codes of ISO 4217 (list one), without funds, metals and test codes; four bytes each.
constexpr std::string_view with_two = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB "
                                      "BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP "
                                      "CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ "
                                      "GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR "
                                      "KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR "
                                      "MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN "
                                      "PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
                                      "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD "
                                      "TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG ";
constexpr std::string_view with_none = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF ";
constexpr std::string_view with_three = "BHD IQD JOD KWD LYD OMR TND ";

/// By letters: position (first - 'A') * 26 * 26 + …; -1 for codes that are not in use. One look-up per price.
constexpr std::size_t position_of(std::string_view code) noexcept {
    std::size_t out = 0;
    for (const char c : code)
        out = out * 26 + static_cast<std::size_t>(c - 'A');
    return out;
}

constexpr auto minor_units = [] {
    std::array<std::int8_t, 26 * 26 * 26> table{};
    table.fill(-1);
    const auto set = [&](std::string_view list, std::int8_t unit) {
        for (std::size_t at = 0; at < list.size(); at += 4)
            table[position_of(list.substr(at, 3))] = unit;
    };
    set(with_two, 2);
    set(with_none, 0);
    set(with_three, 3);
    return table;
}();

} // namespace

std::optional<int> minor_unit_of(std::string_view code) noexcept {
    if (code.size() != 3) return std::nullopt;
    for (const char c : code)
        if (c < 'A' || c > 'Z') return std::nullopt;
    const int unit = minor_units[position_of(code)];
    return unit < 0 ? std::nullopt : std::optional{unit};
}

converted<std::string> currency_from_text(std::string_view text) {
    std::string code{trim_blanks(text)};
    if (code.size() == 3)
        for (auto& c : code)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    if (!minor_unit_of(code)) return reject{"is no ISO 4217 currency code"};
    return code;
}

} // namespace tiktrend::sources
