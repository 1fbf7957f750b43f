#include <tiktrend/catalog/product.hpp>

#include <catch2/catch.hpp>

#include <functional>
#include <set>

using namespace tiktrend::catalog;

namespace {

scraped_product mug() {
    scraped_product p;
    p.source = "demo.shop";
    p.external_id = "mug-1";
    p.title = "Mug";
    p.description = "A mug, large.";
    p.url = "https://shop.example/mug";
    p.image_url = "https://shop.example/mug.png";
    p.category = "Kitchen";
    p.price_min = "19.90";
    p.price_max = "24.00";
    p.currency = "EUR";
    p.sales_7d = 12;
    p.sales_total = 3400;
    p.rating = 4.5;
    p.review_count = 87;
    p.attributes = R"({"vendor":"Acme"})";
    p.scraped_at_ms = 1'795'000'000'000;
    return p;
}

} // namespace

TEST_CASE("the content hash never changes its meaning", "[unit][catalog]") {
    // Computed independently from the description in product.cpp; stored in databases.
    CHECK(content_hash(mug()) == -9008162449057291052);
    CHECK(content_hash(scraped_product{}) == 4574081534956482075);
}

TEST_CASE("every field that a scrape delivers changes the content hash", "[unit][catalog]") {
    const std::function<void(scraped_product&)> changes[] = {
        [](auto& p) { p.kind = product_kind::trend; },
        [](auto& p) { p.title = "Mug "; },
        [](auto& p) { p.description.reset(); },
        [](auto& p) { p.description = ""; },
        [](auto& p) { p.url = "https://shop.example/mug2"; },
        [](auto& p) { p.image_url.reset(); },
        [](auto& p) { p.category = "kitchen"; },
        [](auto& p) { p.price_min = "19.9"; },
        [](auto& p) { std::swap(p.price_min, p.price_max); },
        [](auto& p) { p.currency = "USD"; },
        [](auto& p) { p.sales_7d.reset(); },
        [](auto& p) { std::swap(p.sales_7d, p.sales_total); },
        [](auto& p) { p.rating = 4.4; },
        [](auto& p) { p.review_count = 88; },
        [](auto& p) { p.trend_score = 0; },
        [](auto& p) { p.is_trending = true; },
        [](auto& p) { p.is_active = false; },
        [](auto& p) { p.attributes = "{}"; },
        [](auto& p) {
            p.title = "";
            p.description = "MugA mug, large.";
        },
    };
    std::set<std::int64_t> seen{content_hash(mug())};
    for (const auto& change : changes) {
        auto p = mug();
        change(p);
        CHECK(seen.insert(content_hash(p)).second);
    }
}

TEST_CASE("identity and time of the scrape do not count as content", "[unit][catalog]") {
    auto p = mug();
    p.source = "other";
    p.external_id = "other";
    p.scraped_at_ms = 1;
    CHECK(content_hash(p) == content_hash(mug()));
}

TEST_CASE("a price is decimal text that fits the column", "[unit][catalog]") {
    for (const char* good : {"0", "19.90", "1200.5", "9999999999.9999", "0.0001"})
        CHECK(is_price(good));
    for (const char* bad :
         {"", ".", "1.", ".5", "-1", "+1", "1e5", "1,5", "10000000000", "1.00000", " 1", "NaN", "1.5.2"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_price(bad));
    }
}
