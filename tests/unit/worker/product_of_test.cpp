#include "crawl/product_of.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker;

namespace {
sources::field field(std::string_view name, sources::field_value value) {
    return {name, std::move(value)};
}
} // namespace

TEST_CASE("a record becomes a product, and what has no column an attribute", "[unit][worker]") {
    sources::definition d;
    d.id = "t.shop";
    sources::record r;
    r.key = "k1";
    r.fields = {field("title", std::string{"Lamp"}),
                field("price", sources::decimal{"19.90"}),
                field("currency", std::string{"EUR"}),
                field("rating", sources::decimal{"4.5"}),
                field("review_count", std::int64_t{12}),
                field("image", std::string{"http://a.test/i.png"}),
                field("vendor", std::string{"Fab \"Co\""}),
                field("tags", std::vector<std::string>{"a", "b"}),
                field("in_stock", true),
                field("was_price", sources::decimal{"24.90"})};
    r.extra = R"({"variants":[1]})";
    const auto p = product_of(r, d, 99);
    CHECK(p.source == "t.shop");
    CHECK(p.external_id == "k1");
    CHECK(p.kind == catalog::product_kind::product);
    CHECK(p.title == "Lamp");
    CHECK(p.price_min == "19.90");
    CHECK(p.price_max == "19.90");
    CHECK(p.currency == "EUR");
    CHECK(p.rating == 4.5);
    CHECK(p.review_count == 12);
    CHECK(p.image_url == "http://a.test/i.png");
    CHECK_FALSE(p.is_trending);
    CHECK(p.scraped_at_ms == 99);
    CHECK(p.attributes ==
          R"({"vendor":"Fab \"Co\"","tags":["a","b"],"in_stock":true,"was_price":"24.90","variants":[1]})");
}

TEST_CASE("a bare record is a product all the same, and a trend is trending", "[unit][worker]") {
    sources::definition d;
    d.id = "t.trends";
    d.kind = sources::record_kind::trend;
    sources::record r;
    r.key = "k1";
    r.fields = {field("popularity", std::int64_t{17})};
    const auto p = product_of(r, d, 1);
    CHECK(p.kind == catalog::product_kind::trend);
    CHECK(p.is_trending);
    CHECK(p.title == "k1");
    CHECK(p.trend_score == 17);
    CHECK_FALSE(p.price_min.has_value());
    CHECK(p.attributes == "{}");
}

TEST_CASE("a price that no column holds is no price", "[unit][worker]") {
    sources::definition d;
    sources::record r;
    r.key = "k";
    r.fields = {field("price", sources::decimal{"123456789012345"})};
    CHECK_FALSE(product_of(r, d, 1).price_min.has_value());
}
