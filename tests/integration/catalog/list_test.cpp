#include "fixture.hpp"

#include <set>
#include <sstream>

using namespace tiktrend;
using namespace tiktrend::catalog;

namespace {

constexpr int count = 137;

/// Products with ties and NULLs in every sortable column.
task<void> fill(product_store& store) {
    // Several pages, so that times of update differ, each with many equal ones.
    for (int page = 0; page < 5; ++page) {
        std::vector<scraped_product> products;
        for (int i = page; i < count; i += 5) {
            auto p = item(i, fmt::format("{}.{}", i % 7, i % 2 ? "5" : "50"), noon + page);
            if (i % 11 == 0) p.price_min.reset();
            if (i % 3) p.sales_7d = i % 4;
            if (i % 4) p.trend_score = (i % 6) / 3.0;
            if (i % 5) p.rating = (i % 3) + 0.1;
            if (i % 6) p.sales_total = i % 9;
            if (i % 7) p.review_count = i % 5;
            if (i % 10 == 0) p.description = "Handmade, of bright red cotton";
            p.kind = i % 13 ? product_kind::product : product_kind::trend;
            p.is_active = i % 17 != 0;
            p.source = i % 19 ? "demo.shop" : "other.shop";
            if (i % 23 == 0) p.currency = "USD";
            products.push_back(std::move(p));
        }
        REQUIRE(co_await store.commit_page(job(fmt::format("fill-{}", page)), page_of(std::move(products))));
    }
}

task<std::vector<std::int64_t>> walk(product_store& store, product_query q) {
    std::vector<std::int64_t> ids;
    for (;;) {
        const auto page = co_await store.list(q);
        CHECK(page.value.items.size() <= static_cast<std::size_t>(q.limit));
        for (const auto& p : page.value.items)
            ids.push_back(p.id);
        if (!page.value.next) co_return ids;
        CHECK(page.value.items.size() == static_cast<std::size_t>(q.limit));
        CHECK(fits(*page.value.next, q.sort));
        q.after = page.value.next;
    }
}

std::vector<std::int64_t> ids_by_sql(const std::string& order, const std::string& where = "true") {
    const auto text =
        sql("SELECT string_agg(id::text, ' ' ORDER BY " + order + ") FROM products WHERE " + where);
    std::vector<std::int64_t> out;
    std::istringstream in{text};
    for (std::int64_t id = 0; in >> id;)
        out.push_back(id);
    return out;
}

} // namespace

TEST_CASE("pages of every sort join without a hole or a repetition", "[integration][catalog][list]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        co_await fill(store);
        const std::pair<product_sort, const char*> sorts[] = {{product_sort::last_updated, "last_updated"},
                                                              {product_sort::price, "price_min"},
                                                              {product_sort::sales_7d, "sales_7d"},
                                                              {product_sort::trend_score, "trend_score"},
                                                              {product_sort::rating, "rating"},
                                                              {product_sort::sales_total, "sales_total"},
                                                              {product_sort::review_count, "review_count"},
                                                              {product_sort::first_seen, "first_seen"}};
        for (const auto& [sort, column] : sorts)
            for (const bool descending : {true, false})
                for (const int limit : {1, 7, count - 1, count, 500}) {
                    product_query q;
                    q.sort = sort;
                    q.descending = descending;
                    q.limit = limit;
                    const auto* way = descending ? "DESC" : "ASC";
                    CAPTURE(column, way, limit);
                    const auto expected =
                        ids_by_sql(fmt::format("{} {} NULLS LAST, id {}", column, way, way));
                    REQUIRE(expected.size() == count);
                    CHECK(co_await walk(store, q) == expected);
                }
    });
}

TEST_CASE("each filter keeps what it names, alone and together", "[integration][catalog][list]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        co_await fill(store);
        const auto check = [](product_store& s, product_query q, std::string where) -> task<void> {
            CAPTURE(where);
            q.sort = product_sort::price;
            q.limit = 10;
            const auto expected = ids_by_sql("price_min DESC NULLS LAST, id DESC", where);
            CHECK_FALSE(expected.empty());
            CHECK(expected.size() < count);
            CHECK(co_await walk(s, q) == expected);
        };
        product_query q;
        q.source = "other.shop";
        co_await check(store, q, "source = 'other.shop'");
        q = {};
        q.category = "Odd";
        co_await check(store, q, "category_id = (SELECT id FROM categories WHERE name = 'Odd')");
        q = {};
        q.category_id = 1;
        co_await check(store, q, "category_id = 1");
        q = {};
        q.price_min = "2.5";
        q.price_max = "4";
        co_await check(store, q, "price_min BETWEEN 2.5 AND 4");
        q = {};
        q.currency = "USD";
        co_await check(store, q, "currency = 'USD'");
        q = {};
        q.is_trending = true;
        co_await check(store, q, "is_trending");
        q = {};
        q.is_active = false;
        co_await check(store, q, "NOT is_active");
        q = {};
        q.kind = product_kind::trend;
        co_await check(store, q, "kind = 'trend'");
        q = {};
        q.text = "red cotton";
        co_await check(store, q, "description ~ 'red cotton'");
        q.text = "COTTON -handmade";
        CHECK((co_await walk(store, q)).empty());
        q.text = "\"bright red\" item";
        co_await check(store, q, "description ~ 'red cotton'");
        q = {};
        q.kind = product_kind::trend;
        q.is_active = true;
        q.source = "demo.shop";
        q.currency = "EUR";
        q.price_max = "5";
        co_await check(
            store, q,
            "kind = 'trend' AND is_active AND source = 'demo.shop' AND currency = 'EUR' AND price_min <= 5");
    });
}

TEST_CASE("a page shows what was there when it was read, also while rows move",
          "[integration][catalog][list]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        co_await fill(store);
        // Sorted by first_seen nothing moves, however much changes between the pages.
        product_query q;
        q.sort = product_sort::first_seen;
        q.descending = false;
        q.limit = 10;
        std::set<std::int64_t> seen;
        for (int round = 0;; ++round) {
            const auto page = co_await store.list(q);
            for (const auto& p : page.value.items)
                CHECK(seen.insert(p.id).second);
            if (!page.value.next) break;
            q.after = page.value.next;
            REQUIRE(co_await store.commit_page(job(fmt::format("move-{}", round)),
                                               page_of({item(round + 1, "99.00", noon + 1000 + round)})));
        }
        CHECK(seen.size() == count);
    });
}

TEST_CASE("a position of another sort gives an empty page instead of an error",
          "[integration][catalog][list]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        co_await fill(store);
        product_query q;
        q.after = keyset{"x'; DROP TABLE products", 1};
        const auto page = co_await store.list(q);
        CHECK(page.value.items.empty());
        CHECK_FALSE(page.value.next);
        q.after = keyset{std::nullopt, 1};
        CHECK((co_await store.list(q)).value.items.empty());
    });
}
