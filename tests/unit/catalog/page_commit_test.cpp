#include "page_commit.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::catalog;
using namespace tiktrend::catalog::detail;
using namespace std::chrono_literals;

namespace {

scraped_product item(std::string id, std::int64_t at = 1'795'000'000'000) {
    scraped_product p;
    p.source = "s";
    p.external_id = std::move(id);
    p.scraped_at_ms = at;
    return p;
}

std::string stored(std::string_view text) {
    std::string buffer;
    return std::string{storable(text, buffer)};
}

std::string stored_json(std::string_view text) {
    std::string buffer;
    return std::string{storable_json(text, buffer)};
}

} // namespace

TEST_CASE("labels are collapsed and cut between characters", "[unit][catalog]") {
    CHECK(clean_label("  Home \n &\t Kitchen ") == "Home & Kitchen");
    CHECK(clean_label(" \t ").empty());
    std::string long_label;
    for (int i = 0; i < 300; ++i)
        long_label += "é";
    CHECK(clean_label(long_label).size() == 400); // 200 characters of two bytes
    CHECK(clean_label("a\xff") == "a\xEF\xBF\xBD");
}

TEST_CASE("text is stored as it is, or repaired where PostgreSQL would refuse it", "[unit][catalog]") {
    const std::string plain = "plain ASCII of more than eight bytes\n";
    std::string buffer;
    CHECK(storable(plain, buffer).data() == plain.data()); // no copy
    CHECK(stored("naïve 😀") == "naïve 😀");
    CHECK(stored(std::string_view{"eight by\0es", 11}) == "eight byes");
    CHECK(stored(std::string_view{"a\0b", 3}) == "ab");
    CHECK(stored("broken \xff\xfe bytes") == "broken \xEF\xBF\xBD\xEF\xBF\xBD bytes");
    CHECK(stored("") == "");
}

TEST_CASE("what PostgreSQL would refuse is noticed wherever it stands", "[unit][catalog]") {
    std::size_t missed = 0;
    for (std::size_t size = 1; size <= 20; ++size)
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, 'x');
            text[at] = '\0';
            missed += stored(text).size() != size - 1;
            text[at] = '\xff';
            missed += stored(text).size() != size + 2;
        }
    CHECK(missed == 0);
    CHECK(clean_label("one") == "one");
    CHECK(clean_label("one two") == "one two");
    CHECK(clean_label("one  two") == "one two");
    CHECK(clean_label("one ") == "one");
    CHECK(clean_label(std::string(201, 'x')).size() == 200);
}

TEST_CASE("JSON loses only the escape that jsonb refuses", "[unit][catalog]") {
    CHECK(stored_json(R"({"a":"x\u0000y"})") == R"({"a":"xy"})");
    CHECK(stored_json(R"({"a":"x\\u0000y"})") ==
          R"({"a":"x\\u0000y"})"); // an escaped backslash and plain text
    CHECK(stored_json(R"({"a":"\\\u0000\u0001"})") == R"({"a":"\\\u0001"})");
}

TEST_CASE("a page tells its months and its categories once each", "[unit][catalog]") {
    scraped_page page;
    page.products = {item("a", 1'706'745'599'999), item("b", 1'706'745'600'000),
                     item("c", 1'706'745'600'001)};
    page.products[0].category = " Toys";
    page.products[1].category = "Toys ";
    page.products[2].category = "Art";
    const run_key key;
    const page_commit c{key, page, 1h};
    // The last millisecond of January 2024 and the first of February.
    CHECK(c.months() == std::vector<std::int64_t>{1'704'067'200'000, 1'706'745'600'000});
    CHECK(c.categories() == std::vector<std::string>{"Art", "Toys"});
    CHECK(c.refused() == 0);
}

TEST_CASE("values that cannot be stored are left out and counted", "[unit][catalog]") {
    scraped_page page;
    page.products = {item("a"), item(""), item(std::string(2000, 'x'))};
    page.products[0].price_min = "cheap";
    page.products[0].currency = "eur";
    page.products[0].rating = std::numeric_limits<double>::quiet_NaN();
    const run_key key;
    const page_commit c{key, page, 1h};
    (void)c.statements(false);
    (void)c.statements(false); // building again counts anew
    CHECK(c.refused() == 5);
}

TEST_CASE("mistakes of the caller are refused loudly", "[unit][catalog]") {
    const run_key key;
    scraped_page page;
    page.number = 0;
    CHECK_THROWS_AS((page_commit{key, page, 1h}), std::invalid_argument);
    page.number = 1;
    page.products = {item("a", 0)};
    CHECK_THROWS_AS((page_commit{key, page, 1h}), std::invalid_argument);
    page.products = {item("a", 1'795'000'000)}; // seconds
    CHECK_THROWS_AS((page_commit{key, page, 1h}), std::invalid_argument);
}
