// Every statement that reads products, looked at as PostgreSQL would run it on a large table.
#include "fixture.hpp"
#include "product_query.hpp"

#include <tiktrend/catalog/trending_store.hpp>

using namespace tiktrend;
using namespace tiktrend::catalog;

namespace {

/// 40,000 products of which few are in each corner, with statistics. Made once.
const std::string& large() {
    static const std::string name = [] {
        fresh_database();
        server().execute("postgres", "DROP DATABASE IF EXISTS large WITH (FORCE)");
        server().execute("postgres", "CREATE DATABASE large TEMPLATE catalog_template");
        server().execute("large", R"(
            INSERT INTO categories (name) SELECT 'category ' || n FROM generate_series(1, 50) AS n;
            INSERT INTO products (source, external_id, kind, title, description, category_id, price_min, currency, sales_7d,
                                  sales_total, rating, review_count, trend_score, is_trending, is_active, content_hash,
                                  first_seen, last_updated, scraped_at)
            SELECT CASE WHEN n % 100 = 0 THEN 'small.shop' ELSE 'demo.shop' END, 'item-' || n,
                   CASE WHEN n % 500 = 0 THEN 'trend' ELSE 'product' END, 'Item ' || n || ' colour' || n % 300,
                   'Made of wood' || n % 7, 1 + n % 50, (n * 7919 % 100000) / 100.0, CASE WHEN n % 1000 = 0 THEN 'USD' ELSE 'EUR' END,
                   n * 31 % 5000, n * 37 % 9000, n % 50 / 10.0, n % 800, n % 1000 / 1000.0, n % 50 = 0, n % 200 <> 0, n,
                   now() - n * interval '1 minute', now() - n * interval '1 second', now()
              FROM generate_series(1, 40000) AS n;
            INSERT INTO product_history (product_id, scraped_at, price_min)
            SELECT n % 4000, date_trunc('month', now()) + n * interval '1 second', n FROM generate_series(1, 40000) AS n;
            ANALYZE;
            REFRESH MATERIALIZED VIEW trending_products_summary)");
        return std::string{"large"};
    }();
    return name;
}

/// Fails unless the plan that the server makes for these very values leaves the large tables unread.
task<void> check_plan(postgres::router& r, std::string statement, const postgres::params& values) {
    const auto lines = co_await r.query("EXPLAIN " + statement, values);
    std::string plan;
    for (const auto line : lines.answer)
        plan += std::string{line[0].text()} + '\n';
    INFO(statement << '\n' << plan);
    CHECK(plan.find("Seq Scan on products") == std::string::npos);
    // Of the history one month is large; the others are empty.
    static const auto month =
        server().execute(large(), "SELECT to_char(now() AT TIME ZONE 'UTC', '_YYYY_MM')");
    CHECK(plan.find("Seq Scan on product_history" + month) == std::string::npos);
}

/// Runs `body` with a router to the large database.
void on_large_database(task<void> (*body)(postgres::router&)) {
    const auto run = [](std::string url, task<void> (*b)(postgres::router&)) -> task<void> {
        postgres::router_options o;
        o.pool.connection.url = url;
        postgres::router r{co_await asio::this_coro::executor, o};
        r.start();
        std::exception_ptr failure;
        try {
            co_await b(r);
        } catch (...) {
            failure = std::current_exception();
        }
        co_await r.stop();
        if (failure) std::rethrow_exception(failure);
    };
    testing::run_coroutine(run(server().url(large()), body), 60s);
}

std::vector<product_query> filters() {
    std::vector<product_query> out(1);
    const auto add = [&out](auto set) {
        product_query q;
        set(q);
        out.push_back(q);
    };
    add([](product_query& q) { q.source = "small.shop"; });
    add([](product_query& q) { q.source = "no.such.shop"; });
    add([](product_query& q) { q.category_id = 7; });
    add([](product_query& q) { q.category = "category 9"; });
    add([](product_query& q) { q.price_min = "10", q.price_max = "11"; });
    add([](product_query& q) { q.currency = "USD"; });
    add([](product_query& q) { q.currency = "CHF"; });
    add([](product_query& q) { q.is_trending = true; });
    add([](product_query& q) { q.is_active = false; });
    add([](product_query& q) { q.kind = product_kind::trend; });
    add([](product_query& q) { q.text = "colour17"; });
    add([](product_query& q) { q.text = "nowhere"; });
    add([](product_query& q) { q.text = "wood3", q.is_active = true; });
    return out;
}

constexpr product_sort sorts[] = {
    product_sort::last_updated, product_sort::price,  product_sort::sales_7d,     product_sort::sales_total,
    product_sort::trend_score,  product_sort::rating, product_sort::review_count, product_sort::first_seen};

} // namespace

TEST_CASE("no filter in any order reads the whole table", "[integration][catalog][explain]") {
    on_large_database([](postgres::router& r) -> task<void> {
        for (const auto& filter : filters())
            for (const auto sort : sorts)
                for (const bool descending : {true, false}) {
                    auto q = filter;
                    q.sort = sort;
                    q.descending = descending;
                    const bool is_time =
                        sort == product_sort::last_updated || sort == product_sort::first_seen;
                    const keyset middle{is_time ? "1795000000000000" : "3", 20000};
                    for (const auto& after : {std::optional<keyset>{}, std::optional{middle}}) {
                        const auto s = catalog::detail::build_list(q, false, after, 21);
                        co_await check_plan(r, s.sql, s.values);
                    }
                    if (!catalog::detail::may_lack_value(q)) continue;
                    for (const auto& after :
                         {std::optional<keyset>{}, std::optional{keyset{std::nullopt, 20000}}}) {
                        const auto s = catalog::detail::build_list(q, true, after, 21);
                        co_await check_plan(r, s.sql, s.values);
                    }
                }
    });
}

TEST_CASE("a list is planned for its values, however often it was asked for",
          "[integration][catalog][explain]") {
    on_large_database([](postgres::router& r) -> task<void> {
        product_store products{r};
        product_query q;
        q.source = "small.shop";
        q.text = "colour17";
        for (int i = 0; i < 8; ++i)
            co_await products.list(q);
        // What is prepared may be run by one plan for all values: for a common shop that is the wrong one for
        // a rare.
        const auto prepared = co_await r.query(
            "SELECT count(*) FROM pg_prepared_statements "
            "WHERE statement LIKE '%FROM products p%LIMIT%' AND statement NOT LIKE '%pg_prepared%'");
        CHECK(prepared.answer.front()[0].int64() == 0);
    });
}

TEST_CASE("history and single products are read by their keys", "[integration][catalog][explain]") {
    on_large_database([](postgres::router& r) -> task<void> {
        const std::string history{catalog::detail::history_statement()};
        co_await check_plan(r, history, postgres::params::of(7, 365, std::optional<std::int64_t>{}));
        co_await check_plan(r, history, postgres::params::of(7, 20, std::optional{noon}));
        co_await check_plan(r, catalog::detail::product_statement(), postgres::params::of(7));
    });
}

TEST_CASE("the trending summary follows its products when it is refreshed", "[integration][catalog]") {
    on_large_database([](postgres::router& r) -> task<void> {
        trending_store trends{r};
        CHECK((co_await trends.list()).value.size() == 1); // one category, one currency
        server().execute("large",
                         "UPDATE products SET is_trending = true WHERE external_id IN ('item-1', 'item-51')");
        CHECK((co_await trends.list()).value.size() == 1);
        REQUIRE(co_await trends.refresh());
        const auto after = (co_await trends.list()).value;
        REQUIRE(after.size() == 2);
        CHECK(after.back().category == "category 2");
        CHECK(after.back().products == 2);
        CHECK(after.front().sales_7d > after.back().sales_7d);
    });
}

TEST_CASE(
    "a page finds its products by their key, however small the table was when the statement was planned",
    "[integration][catalog][explain]") {
    on_database([](postgres::router& r) -> task<void> {
        product_store store{r};
        const auto scrape = [](product_store& s, std::string id) -> task<void> {
            for (int page = 0; page < 12; ++page) {
                std::vector<scraped_product> products;
                for (int n = 0; n < 50; ++n)
                    products.push_back(item(page * 50 + n));
                REQUIRE(co_await s.commit_page(job(id), page_of(std::move(products), page + 1)));
            }
        };
        co_await scrape(store, "1"); // from here on plans are reused …
        sql("TRUNCATE products, product_history");
        sql("SELECT pg_stat_reset()");
        co_await scrape(store, "2"); // … but that of the empty table is new
        // A connection tells its counts about once a second.
        const auto scans = [] {
            return sql("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = "
                       "'products_source_external_id_key'");
        };
        for (int i = 0; i < 50 && scans() == "0"; ++i) {
            co_await r.write().query("SELECT pg_stat_force_next_flush()");
            co_await sleep_for(100ms);
        }
        CHECK(scans() != "0");
        CHECK(sql("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'products'") == "0");
        CHECK(sql("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'products' "
                  "AND indexrelname <> 'products_source_external_id_key'") == "0");
    });
}
