#include "values/currency.hpp"

#include "glob.hpp"

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

bool is_in(std::string_view list, std::string_view code) noexcept {
    for (std::size_t at = 0; at < list.size(); at += 4)
        if (list.substr(at, 3) == code) return true;
    return false;
}

} // namespace

std::optional<int> minor_unit_of(std::string_view code) noexcept {
    if (code.size() != 3) return std::nullopt;
    if (is_in(with_none, code)) return 0;
    if (is_in(with_three, code)) return 3;
    if (is_in(with_two, code)) return 2;
    return std::nullopt;
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
