#include <tiktrend/catalog/product_json.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::catalog;

namespace {
template <class T>
std::string json(const T& value) {
    std::string out;
    append_json(out, value);
    return out;
}

std::string json_time(std::int64_t ms) {
    std::string out;
    append_json_time(out, ms);
    return out;
}
} // namespace

TEST_CASE("a product has every member, null where nothing is known", "[unit][catalog]") {
    product p;
    p.id = 7;
    p.source = "demo.shop";
    p.external_id = "a\"b";
    p.title = "Mug é";
    CHECK(json(p) ==
          R"({"id":7,"source":"demo.shop","external_id":"a\"b","kind":"product","title":"Mug é",)"
          R"("description":null,"url":null,"image_url":null,"image_cdn_url":null,"category_id":null,)"
          R"("category":null,"price_min":null,"price_max":null,"currency":null,"sales_7d":null,)"
          R"("sales_total":null,"rating":null,"review_count":null,"trend_score":null,"is_trending":false,)"
          R"("is_active":true,"attributes":{},"first_seen":"1970-01-01T00:00:00.000Z",)"
          R"("last_updated":"1970-01-01T00:00:00.000Z","scraped_at":"1970-01-01T00:00:00.000Z"})");
}

TEST_CASE("money stays text and numbers stay numbers", "[unit][catalog]") {
    product p;
    p.price_min = "19.90";
    p.currency = "EUR";
    p.sales_7d = 12;
    p.rating = 4.5;
    p.category_id = 3;
    p.attributes = R"({"vendor":"Acme"})";
    const auto text = json(p);
    for (const char* part : {R"("price_min":"19.90")", R"("currency":"EUR")", R"("sales_7d":12)",
                             R"("rating":4.5)", R"("category_id":3)", R"("attributes":{"vendor":"Acme"})"})
        CHECK_THAT(text, Catch::Contains(part));
}

TEST_CASE("times are RFC 3339 in UTC with milliseconds", "[unit][catalog]") {
    CHECK(json_time(0) == R"("1970-01-01T00:00:00.000Z")");
    CHECK(json_time(1'709'210'096'007) == R"("2024-02-29T12:34:56.007Z")");
    CHECK(json_time(4'102'444'799'999) == R"("2099-12-31T23:59:59.999Z")");
    CHECK(json_time(-1) == R"("1969-12-31T23:59:59.999Z")");
}

TEST_CASE("history points and categories", "[unit][catalog]") {
    history_point h;
    h.price_min = "1.50";
    CHECK(json(h) ==
          R"({"scraped_at":"1970-01-01T00:00:00.000Z","price_min":"1.50","price_max":null,"currency":null,)"
          R"("sales_7d":null,"sales_total":null,"rating":null,"review_count":null,"trend_score":null})");
    CHECK(json(category_entry{4, "Home & Kitchen"}) == R"({"id":4,"name":"Home & Kitchen"})");
}
