#include "worker_stack.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;

TEST_CASE("a job brings every page of a shop into the database, and a second one finds nothing new",
          "[integration][worker]") {
    worker_stack stack;
    const auto worker = stack.start_worker();
    const auto first = stack.add();
    REQUIRE(stack.wait_for_state(first, "completed"));

    auto result = stack.result(first);
    INFO(boost::json::serialize(result));
    CHECK(result.at("products_found") == 250);
    CHECK(result.at("products_changed") == 250);
    CHECK(result.at("pages") == 5);
    CHECK(result.at("requests") == 5);
    CHECK(result.at("outcomes").at("ok") == 5);
    CHECK(result.at("bytes").as_int64() > 1000);
    CHECK(result.at("source") == "demo.shop");
    const auto progress = stack.progress(first);
    CHECK(progress.at("page") == 5);
    CHECK(progress.at("products_found") == 250);
    CHECK(progress.at("products_changed") == 250);

    CHECK(stack.sql("SELECT count(*), count(DISTINCT external_id), min(source) FROM products") ==
          "250|250|demo.shop");
    CHECK(stack.sql("SELECT count(*) FROM product_history") == "250");
    CHECK(stack.sql("SELECT status, pages, products_found FROM scrape_runs") == "succeeded|5|250");
    CHECK(stack.field(first, "atm") == "1");
    // The caches were told.
    CHECK(stack.cache_redis().command({"EXISTS", "cache:i:{products}:lists"}) == "1");

    const auto second = stack.add();
    REQUIRE(stack.wait_for_state(second, "completed"));
    result = stack.result(second);
    INFO(boost::json::serialize(result));
    CHECK(result.at("products_found") == 250);
    CHECK(result.at("products_changed") == 0);
    CHECK(result.at("not_modified") == 5);
    CHECK(stack.sql("SELECT count(*) FROM product_history") == "250");

    stack.shop_post("/_control/tick");
    const auto third = stack.add();
    REQUIRE(stack.wait_for_state(third, "completed"));
    result = stack.result(third);
    const auto changed = result.at("products_changed").as_int64();
    CHECK(result.at("products_found") == 250);
    CHECK(changed > 0);
    CHECK(changed < 250);
    CHECK(stack.sql("SELECT count(*) FROM product_history") == std::to_string(250 + changed));
}

TEST_CASE("a scrape whose definition or inputs changed does not trust an unchanged page",
          "[integration][worker]") {
    worker_stack stack;
    const auto worker = stack.start_worker();
    const auto first = stack.add();
    REQUIRE(stack.wait_for_state(first, "completed"));
    worker_stack::job_order other;
    other.data = R"({"source":"demo.shop","filters":{"shop":")" + stack.shop_url() + R"(","per_page":100}})";
    const auto second = stack.add(other);
    REQUIRE(stack.wait_for_state(second, "completed"));
    CHECK(stack.result(second).at("pages") == 3);
    CHECK(stack.result(second).at("not_modified") == 0);
    CHECK(stack.result(second).at("products_changed") == 0);
}

TEST_CASE("ten jobs at once leave each product once, with one history row a change",
          "[integration][worker]") {
    worker_stack stack;
    std::vector<std::string> ids;
    for (int i = 0; i < 10; ++i)
        ids.push_back(stack.add());
    const auto one = stack.start_worker();
    const auto two = stack.start_worker();
    for (const auto& id : ids)
        REQUIRE(stack.wait_for_state(id, "completed", 60s));
    CHECK(stack.sql("SELECT count(*) FROM products") == "250");
    CHECK(stack.sql("SELECT count(*) FROM product_history") == "250");
    CHECK(stack.sql("SELECT count(*) FROM scrape_runs WHERE status = 'succeeded'") == "10");
}
