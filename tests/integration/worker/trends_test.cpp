// Trends: the scheduler that makes their job, what the job computes, and fields that drift.
#include "scripted_shop.hpp"
#include "worker_stack.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;

namespace {

/// A product of a shop with its sales per week (of a total), four weeks of them, the last one ending now.
void add_history(const worker_stack& stack, const std::string& id, const std::vector<int>& totals) {
    stack.sql(fmt::format(
        "INSERT INTO products (source, external_id, kind, title, price_min, currency, sales_total, "
        "content_hash, scraped_at) VALUES ('t', '{0}', 'product', '{0}', 10, 'EUR', {1}, 1, now())",
        id, totals.back()));
    const auto count = static_cast<int>(totals.size());
    for (int i = 0; i < count; ++i)
        stack.sql(
            fmt::format("SELECT ensure_product_history_partition(now() - {1} * interval '7 days');"
                        "INSERT INTO product_history (product_id, scraped_at, sales_total) SELECT id, "
                        "now() - {1} * interval '7 days' - interval '1 minute', {2} FROM products WHERE "
                        "external_id = '{0}'",
                        id, count - 1 - i, totals[static_cast<std::size_t>(i)]));
}

} // namespace

TEST_CASE("an hourly scheduler makes the trends' job once, however many workers there are",
          "[integration][worker][trends]") {
    worker_stack stack;
    add_history(stack, "rising", {0, 100, 300});  // 100, then 200
    add_history(stack, "steady", {0, 100, 200});  // 100, then 100
    add_history(stack, "falling", {0, 100, 110}); // 100, then 10
    add_history(stack, "small", {0, 1, 4});       // 1, then 3
    add_history(stack, "young", {50});            // not known yet
    const auto one = stack.start_worker({{"TREND_REFRESH", "1h"}});
    const auto two = stack.start_worker({{"TREND_REFRESH", "1h"}});
    REQUIRE(testing::poll_until(
        [&] {
            return stack.log(1).find("trends_refreshed") != std::string::npos ||
                   stack.log(2).find("trends_refreshed") != std::string::npos;
        },
        30s));
    const auto row = [&](const std::string& id) {
        return stack.sql(
            "SELECT sales_7d, sales_7d_change, trend_score::numeric(8,4), is_trending FROM products WHERE "
            "external_id = '" +
            id + "'");
    };
    CHECK(row("rising") == "200|100|10.6066|t"); // ln 201 * (1 + 100 / 100)
    CHECK(row("steady") == "100|0|4.6151|f");    // ln 101
    CHECK(row("falling") == "10|-90|0.2398|f");  // ln 11 * (1 - 0.9)
    CHECK(row("small") == "3|2|1.6636|f");       // ln 4 * (1 + 2 / 10)
    CHECK(row("young") == "(null)|(null)|(null)|f");
    CHECK(
        stack.sql(
            "SELECT category, currency, products, average_price, sales_7d FROM trending_products_summary") ==
        "|EUR|1|10.00|200");
    CHECK(stack.sql("SELECT count(*) FROM product_history_daily") == "13");
    CHECK(stack.queue_redis().command({"ZCARD", "bull:scraping:repeat"}) == "1");
    CHECK(stack.queue_redis().command({"HGET", "bull:scraping:repeat:refresh_trending_summary", "every"}) ==
          "3600000");
    const auto ended = [&](int n) {
        int count = 0;
        for (auto at = stack.log(n).find("trends_refreshed"); at != std::string::npos;
             at = stack.log(n).find("trends_refreshed", at + 1))
            ++count;
        return count;
    };
    CHECK(ended(1) + ended(2) == 1);
}

TEST_CASE("pages and attempts that are older than RETENTION go", "[integration][worker][trends]") {
    worker_stack stack;
    stack.sql(
        "INSERT INTO page_cache (url, digest, fetched_at) VALUES ('old', 'd', now() - interval '49 h'), "
        "('young', 'd', now() - interval '47 h')");
    stack.sql(
        "INSERT INTO scrape_runs (job_id, job_timestamp_ms, attempt, source, status, updated_at) VALUES "
        "('old', 1, 1, 's', 'succeeded', now() - interval '49 h'), "
        "('young', 1, 1, 's', 'failed', now() - interval '47 h'), "
        "('runs', 1, 1, 's', 'running', now() - interval '490 h')");
    const auto worker = stack.start_worker({{"TREND_REFRESH", "1h"}, {"RETENTION", "48h"}});
    REQUIRE(
        testing::poll_until([&] { return stack.log(1).find("old_rows_deleted") != std::string::npos; }, 30s));
    CHECK(stack.sql("SELECT string_agg(url, ',') FROM page_cache") == "young");
    CHECK(stack.sql("SELECT string_agg(job_id, ',' ORDER BY job_id) FROM scrape_runs") == "runs,young");
}

TEST_CASE("what trends worked out survives the next scrape, which says nothing of it",
          "[integration][worker][trends]") {
    worker_stack stack;
    const auto worker = stack.start_worker();
    const auto first = stack.add();
    REQUIRE(stack.wait_for_state(first, "completed"));
    stack.sql("UPDATE products SET trend_score = 7, is_trending = true, image_cdn_url = "
              "'https://images.example/1'");
    stack.shop_post("/_control/reprice?every=1");
    const auto second = stack.add();
    REQUIRE(stack.wait_for_state(second, "completed"));
    CHECK(stack.result(second).at("products_changed").as_int64() > 0);
    CHECK(stack.sql(
              "SELECT count(*) FROM products WHERE trend_score = 7 AND is_trending AND image_cdn_url IS NOT "
              "NULL") == "250");
    CHECK(stack.sql("SELECT count(*) FROM product_history WHERE trend_score IS NOT NULL") == "0");
    CHECK(stack.queue_redis().command({"EXISTS", "bull:scraping:repeat:refresh_trending_summary"}) == "0");
}

TEST_CASE("a shop's label that the operator mapped gets the category it means",
          "[integration][worker][trends]") {
    worker_stack stack;
    const auto worker = stack.start_worker();
    const auto first = stack.add();
    REQUIRE(stack.wait_for_state(first, "completed"));
    const auto label = stack.sql("SELECT name FROM categories ORDER BY name LIMIT 1");
    stack.sql("WITH c AS (INSERT INTO categories (name) VALUES ('Mapped') RETURNING id) INSERT INTO "
              "category_aliases "
              "SELECT '" +
              label + "', id FROM c");
    stack.shop_post("/_control/reprice?every=1");
    const auto second = stack.add();
    REQUIRE(stack.wait_for_state(second, "completed"));
    CHECK(stack.sql(
              "SELECT count(*) > 0 FROM products p JOIN categories c ON c.id = p.category_id WHERE c.name = "
              "'Mapped'") == "t");
    CHECK(stack.sql(
              "SELECT count(*) FROM products p JOIN categories c ON c.id = p.category_id WHERE c.name = '" +
              label + "'") == "0");
}

TEST_CASE("a field that is suddenly missing is drift: in the result, the log and the metrics",
          "[integration][worker][drift]") {
    std::atomic<bool> is_broken{false};
    const scripted_shop shop{{{"/list", [&](const http::request&) {
                                   std::string rows;
                                   for (int i = 0; i < 20; ++i)
                                       rows += fmt::format(R"({}{{"id":"{}","t":"T","{}":"1.50"}})",
                                                           i ? "," : "", i, is_broken ? "cost" : "price");
                                   return http::response::json(200, fmt::format(R"({{"rows":[{}]}})", rows));
                               }}}};
    worker_stack stack;
    const auto definition = R"(
format: 1
id: t.drift
version: 1
kind: product
input: {shop: {type: origin}}
politeness: {delay: 0s}
request: {url: "{{ input.shop }}/list"}
documents: {body: {parse: json}}
records: {from: body, path: [rows]}
key: [field:sku]
fields:
  sku: {path: [id], required: true}
  title: {path: [t], required: true}
  price: {path: [price], type: money, currency: EUR}
)";
    stack.sql(fmt::format(
        "INSERT INTO source_definitions (id, version, definition, enabled_at) VALUES ('t.drift', 1, "
        "$d${}$d$, now())",
        definition));
    const auto worker = stack.start_worker({{"FETCH_ALLOW", shop.host()}});
    worker_stack::job_order order;
    order.data = fmt::format(R"({{"source":"t.drift","filters":{{"shop":"{}"}}}})", shop.url(""));
    const auto run = [&] {
        const auto id = stack.add(order);
        REQUIRE(stack.wait_for_state(id, "completed"));
        return stack.result(id);
    };
    for (int i = 0; i < 3; ++i)
        CHECK(run().at("drift").as_array().empty());
    is_broken = true;
    const auto result = run();
    INFO(boost::json::serialize(result));
    REQUIRE(result.at("drift").as_array().size() == 1);
    const auto drift = result.at("drift").at(0).as_object();
    CHECK(drift.at("field") == "price");
    CHECK(drift.at("latest").to_number<double>() == 0);
    CHECK(drift.at("usual").to_number<double>() == 1);
    CHECK(drift.at("since_ms").as_int64() > 0);
    CHECK(run().at("drift").at(0).at("since_ms") ==
          drift.at("since_ms")); // since when, not since the last run
    CHECK(stack.log(1).find("field_drift") != std::string::npos);
    const auto metrics = stack.ask_worker(1, "/metrics");
    CHECK(metrics.find(R"(scrape_field_drift{field="price",measure="found",source="t.drift"} 1)") !=
          std::string::npos);
    CHECK(metrics.find(R"(scrape_fields_total{field="price",result="missing",source="t.drift"} 40)") !=
          std::string::npos);
    is_broken = false;
    CHECK(run().at("drift").as_array().empty());
    CHECK(stack.ask_worker(1, "/metrics")
              .find(R"(scrape_field_drift{field="price",measure="found",source="t.drift"} 0)") !=
          std::string::npos);
}
