#include "values/count.hpp"
#include "values/currency.hpp"
#include "values/currency_sign.hpp"
#include "values/decimal_number.hpp"
#include "values/money.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace tiktrend::sources;
using rule = decimal_rule;

namespace {

std::string show(const converted<price_range>& price, int minor_unit) {
    if (!price) return std::string{price.error().reason};
    const auto low = price_text(price->low, minor_unit);
    const auto high = price_text(price->high, minor_unit);
    return low == high ? low : low + " to " + high;
}

int minor_unit(std::string_view currency) {
    return currency.empty() ? -1 : minor_unit_of(currency).value();
}

std::string price(std::string_view text, std::string_view currency = "", rule r = rule::automatic) {
    return show(price_from_text(text, r, minor_unit(currency)), minor_unit(currency));
}

std::string json_price(std::string_view token, std::string_view currency = "", rule r = rule::automatic) {
    return show(price_from_json(token, r, minor_unit(currency)), minor_unit(currency));
}

std::string count(std::string_view text) {
    const auto value = count_from_text(text);
    return value ? std::to_string(*value) : std::string{value.error().reason};
}

std::string decimal(std::string_view text, rule r = rule::automatic) {
    const auto value = decimal_from_text(text, r);
    return value ? value->text() : std::string{value.error().reason};
}

std::string json_decimal(std::string_view token) {
    const auto value = decimal_from_json(token);
    return value ? value->text() : std::string{value.error().reason};
}

decimal_number number(std::string_view token) {
    return decimal_from_json(token).value();
}

constexpr auto ambiguous = "could mean thousands or a fraction; the currency is unknown";

} // namespace

TEST_CASE("prices are read from text by the decimal rule and the minor unit", "[unit][sources][money]") {
    struct row {
        const char* text;
        const char* currency;
        rule r;
        const char* expected;
    };
    const auto [text, currency, r, expected] = GENERATE(values<row>({
        // plain
        {"30.00", "", rule::automatic, "30.00"},
        {"30", "EUR", rule::automatic, "30.00"},
        {"2879.2", "EUR", rule::automatic, "2879.20"},
        {"2879.20", "EUR", rule::automatic, "2879.20"},
        {"2879.2", "", rule::automatic, "2879.20"},
        {"3000", "JPY", rule::automatic, "3000"},
        {"10.1400", "EUR", rule::automatic, "10.14"},
        {"0.125", "EUR", rule::automatic, "0.125"},
        {"007.50", "EUR", rule::automatic, "7.50"},
        {".99", "USD", rule::automatic, "0.99"},
        // one separator before exactly three digits
        {"1.234", "EUR", rule::automatic, "1234.00"},
        {"1,234", "EUR", rule::automatic, "1234.00"},
        {"1.234", "KWD", rule::automatic, "1.234"},
        {"1,234", "KWD", rule::automatic, "1.234"},
        {"24.990", "CLP", rule::automatic, "24990"},
        {"24.990", "COP", rule::automatic, "24990.00"},
        {"1.234", "", rule::automatic, ambiguous},
        {"1,234", "", rule::automatic, ambiguous},
        {"1.234", "", rule::dot, "1.234"},
        {"1.234", "", rule::comma, "1234.00"},
        {"1,234", "", rule::dot, "1234.00"},
        {"1,234", "EUR", rule::comma, "1.234"},
        {"1234.567", "EUR", rule::automatic, "1234.567"},
        // both separators
        {"1.234,50 €", "EUR", rule::automatic, "1234.50"},
        {"1.234,50 €", "", rule::automatic, "1234.50"},
        {"$1,234.50", "USD", rule::automatic, "1234.50"},
        {"1.234.567", "EUR", rule::automatic, "1234567.00"},
        {"1,23,456.70", "INR", rule::automatic, "123456.70"},
        {"1.234,567,8", "EUR", rule::automatic, "mixes its separators"},
        {"1.2.3", "EUR", rule::automatic, "groups its digits oddly"},
        {"1.5.00", "EUR", rule::dot, "has more than one decimal separator"},
        // blanks, apostrophes, no-break spaces
        {"1 234,50", "EUR", rule::automatic, "1234.50"},
        {"1\u00A0234,50 kr", "SEK", rule::automatic, "1234.50"},
        {"1\u202F234\u202F567", "EUR", rule::automatic, "1234567.00"},
        {"CHF 1'234.50", "CHF", rule::automatic, "1234.50"},
        {"CHF 1’234.50", "CHF", rule::automatic, "1234.50"},
        // the words around it
        {"from £5", "GBP", rule::automatic, "5.00"},
        {"30,000원~", "KRW", rule::automatic, "30000"},
        {"10,75 €", "EUR", rule::automatic, "10.75"},
        {"Rs. 949", "INR", rule::automatic, "949.00"},
        // ranges
        {"$24.17 - 24.69", "USD", rule::automatic, "24.17 to 24.69"},
        {"$24.17–$24.69", "USD", rule::automatic, "24.17 to 24.69"},
        {"24,69 € bis 24,17 €", "EUR", rule::automatic, "24.17 to 24.69"},
        {"5 to 7", "USD", rule::automatic, "5.00 to 7.00"},
        {"5 ~ 7", "USD", rule::automatic, "5.00 to 7.00"},
        {"5 7", "USD", rule::automatic, "has two numbers that are no range"},
        {"was 30.00 now 20.00", "USD", rule::automatic, "has two numbers that are no range"},
        {"1 2 3", "USD", rule::automatic, "has more than two numbers"},
        // other digits
        {"١٢٣", "USD", rule::automatic, "123.00"},
        {"١٬٢٣٤٫٥٠", "USD", rule::automatic, "1234.50"},
        {"१,२३४", "INR", rule::automatic, "1234.00"},
        {"１２３円", "JPY", rule::automatic, "123"},
        // refused
        {"-5", "USD", rule::automatic, "is negative"},
        {"-$5", "USD", rule::automatic, "is negative"},
        {"\u22125,00 €", "EUR", rule::automatic, "is negative"},
        {"20% off", "USD", rule::automatic, "is a percentage"},
        {"free", "USD", rule::automatic, "has no number"},
        {"", "USD", rule::automatic, "has no number"},
        {"0", "USD", rule::automatic, "0.00"},
        {"1234567890123456789012345678901", "USD", rule::automatic, "has more than 30 digits"},
    }));
    CAPTURE(text, currency);
    CHECK(price(text, currency, r) == expected);
}

TEST_CASE("a dash that a word hangs on makes no range of two numbers", "[unit][sources][money]") {
    CHECK(price_from_text("3-pack $24.99", decimal_rule::automatic, 2).has_error());
    CHECK(price_from_text("$24.17-$24.69", decimal_rule::automatic, 2)->high.text(2) == "24.69");
    CHECK(price_from_text("5 zł - 7 zł", decimal_rule::automatic, 2)->low.text(2) == "5.00");
    CHECK(price_from_text("30,000원~50,000원", decimal_rule::automatic, 0)->high.text(0) == "50000");
}

TEST_CASE("words that are codes too are no currency of a price", "[unit][sources][money]") {
    const auto is = [](std::string_view text) { return currency_in(text, "").value_or("-"); };
    CHECK(is("TOP PRICE 19,99 €") == "EUR");
    CHECK(is("ALL 3 FOR $10") == "USD");
    CHECK(is("TRY NOW $10") == "USD");
    CHECK(is("ALL ITEMS FOR 10") == "-");
    CHECK(is("TRY 100") == "TRY");
    CHECK(is("₺100 TRY") == "TRY");
    CHECK(is("$12.00 CAD") == "CAD");
    CHECK(is("CAD $12.00") == "USD"); // as far as the sign goes: the code stands by no number
    CHECK(is("MDL 50 lei") == "MDL");
    CHECK(is("Price: USD\u00A012") == "USD");
    CHECK(is("currency: GBP") == "GBP");
}

TEST_CASE("prices in JSON numbers come from the token, never through a double", "[unit][sources][money]") {
    CHECK(json_price("24.990", "CLP") == "24990");
    CHECK(json_price("24.990", "EUR") == "24.99");
    CHECK(json_price("24.990", "EUR", rule::comma) == "24990.00");
    CHECK(json_price("24.990", "CLP", rule::dot) == "24.99");
    CHECK(json_price("0.990", "CLP") == "0.99");
    CHECK(json_price("0.1", "EUR") == "0.10");
    CHECK(json_price("0.30000000000000004", "EUR") == "0.30000000000000004");
    CHECK(json_price("1899.00", "GBP") == "1899.00");
    CHECK(json_price("949", "INR") == "949.00");
    CHECK(json_price("12e2", "EUR") == "1200.00");
    CHECK(json_price("1.5e-1", "EUR") == "0.15");
    CHECK(json_price("1e999", "EUR") == "is out of range");
    CHECK(json_price("-1", "EUR") == "is negative");
    CHECK(json_price("-0", "EUR") == "0.00");
    CHECK(json_price(std::string(1000, '9'), "EUR") == "has more than 30 digits");
}

TEST_CASE("decimals are exact and have one text each", "[unit][sources][decimal]") {
    CHECK(json_decimal("-11.11") == "-11.11");
    CHECK(json_decimal("8.270") == "8.27");
    CHECK(json_decimal("4.0") == "4");
    CHECK(json_decimal("0.00") == "0");
    CHECK(json_decimal("-0.0") == "0");
    CHECK(json_decimal("0.05") == "0.05");
    CHECK(json_decimal("5e-3") == "0.005");
    CHECK(json_decimal("12.5e1") == "125");
    CHECK(json_decimal("12.5E+3") == "12500");
    CHECK(json_decimal("0e999999999999") == "0");
    CHECK(json_decimal("1e65") == "is out of range");
    CHECK(json_decimal("1e-65") == "is out of range");
    CHECK(decimal(" 4,5 ") == "4.5");
    CHECK(decimal("4.321") == "4.321");
    CHECK(decimal("12.5 %") == "12.5");
    CHECK(decimal("-3.5%") == "-3.5");
    CHECK(decimal("+3") == "3");
    CHECK(decimal("4.5 out of 5") == "is not one number");
    CHECK(decimal("n/a") == "is not one number");
    CHECK(decimal("1.234,5", rule::comma) == "1234.5");
}

TEST_CASE("decimals compare and add by value", "[unit][sources][decimal]") {
    CHECK(number("2.50") == number("2.5"));
    CHECK(number("9.9") < number("10"));
    CHECK(number("0.09") < number("0.1"));
    CHECK(number("-2") < number("-1"));
    CHECK(number("-1") < number("0"));
    CHECK(number("100.001") > number("100.0009"));
    CHECK(number("0.1").plus(number("0.2"))->text() == "0.3");
    CHECK(number("-5").plus(number("2.5"))->text() == "-2.5");
    CHECK(number("0.05").plus(number("-0.05"))->text() == "0");
    CHECK(number("999").plus(number("0.001"))->text() == "999.001");
}

TEST_CASE("counts understand the letters that stand for zeros", "[unit][sources][count]") {
    struct row {
        const char* text;
        const char* expected;
    };
    const auto [text, expected] = GENERATE(values<row>({
        {"17", "17"},
        {"2.9k", "2900"},
        {"246.4K", "246400"},
        {"2,9k", "2900"},
        {"1.2M", "1200000"},
        {"3B", "3000000000"},
        {"1,234K", "1234000"},
        {"1.234K", "1234"},
        {"1,234", "1234"},
        {"1.234", "1234"},
        {"1 234 567", "1234567"},
        {"10+", "10"},
        {"5 sold", "5"},
        {"5 mugs", "5"},
        {"5K+ sold", "5000"},
        {"5 k", "5000"},
        {"3万", "30000"},
        {"1.5億", "150000000"},
        {"١٢", "12"},
        {"0", "0"},
        {"-3", "is negative"},
        {"1.2345k", "is not a whole number"},
        {"12.5", "is not a whole number"},
        {"many", "has no number"},
        {"1 of 3", "has more than one number"},
        {"50%", "is a percentage"},
        {"99999999999999999999", "is out of range"},
        {"9999999999B", "is out of range"},
    }));
    CAPTURE(text);
    CHECK(count(text) == expected);
}

TEST_CASE("counts in JSON numbers may carry a zero fraction only", "[unit][sources][count]") {
    CHECK(count_from_json("17").value() == 17);
    CHECK(count_from_json("17.0").value() == 17);
    CHECK(count_from_json("1.7e1").value() == 17);
    CHECK(count_from_json("17.5").error().reason == "is not a whole number");
    CHECK(count_from_json("-1").error().reason == "is negative");
    CHECK(count_from_json("1e30").error().reason == "is out of range");
}

TEST_CASE("currencies are ISO 4217 codes", "[unit][sources][money]") {
    CHECK(currency_from_text(" pln ").value() == "PLN");
    CHECK(minor_unit_of("EUR") == 2);
    CHECK(minor_unit_of("JPY") == 0);
    CHECK(minor_unit_of("KWD") == 3);
    CHECK(currency_from_text("XXX").has_error());
    CHECK(currency_from_text("euro").has_error());
    CHECK(currency_from_text("€").has_error());
    CHECK(minor_unit_of("D A") == std::nullopt);
}
