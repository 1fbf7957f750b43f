#include "product_query.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::catalog;

TEST_CASE("sort names read back", "[unit][catalog]") {
    for (const auto s : {product_sort::last_updated, product_sort::price, product_sort::sales_7d,
                         product_sort::trend_score, product_sort::rating, product_sort::first_seen})
        CHECK(parse_product_sort(to_string(s)) == s);
    CHECK_FALSE(parse_product_sort("id; DROP TABLE products"));
}

TEST_CASE("a keyset fits only the sort it came from", "[unit][catalog]") {
    CHECK(fits({"19.90", 1}, product_sort::price));
    CHECK_FALSE(fits({"19.90", 1}, product_sort::sales_7d));
    CHECK_FALSE(fits({"19.90", 1}, product_sort::last_updated));
    CHECK(fits({"1795000000000000", 1}, product_sort::last_updated));
    CHECK_FALSE(fits({"9223372036854775807", 1}, product_sort::first_seen)); // no timestamp
    CHECK(fits({"-4", 1}, product_sort::sales_7d));
    CHECK(fits({"4.5", 1}, product_sort::rating));
    CHECK_FALSE(fits({"nan", 1}, product_sort::rating));
    CHECK_FALSE(fits({"4.5'", 1}, product_sort::rating));
    CHECK(fits({std::nullopt, 1}, product_sort::rating));
    CHECK_FALSE(fits({std::nullopt, 1}, product_sort::last_updated)); // never NULL
    CHECK_FALSE(fits({"4.5", -1}, product_sort::rating));
}

TEST_CASE("filters become bound parameters, never text", "[unit][catalog]") {
    product_query q;
    const std::string evil = "x' OR 1=1 --";
    q.source = evil;
    q.category = evil;
    q.currency = evil;
    q.price_min = "1";
    q.price_max = "2.50";
    q.is_trending = true;
    q.kind = product_kind::trend;
    const auto s = detail::build_list(q, false, std::nullopt, 21);
    CHECK_THAT(s.sql, !Catch::Contains("OR 1=1"));
    CHECK(s.values.size() == 7); // the limit and all filters but kind, which is one of two fixed words
    q.price_max = evil;
    CHECK_THROWS_AS(detail::build_list(q, false, std::nullopt, 21), std::invalid_argument);
}
