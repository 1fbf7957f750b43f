#include "worker_stack.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;

TEST_CASE("a shop whose robots.txt forbids its list is not asked for it", "[integration][worker][robots]") {
    worker_stack stack;
    stack.shop_post("/_control/robots", "User-agent: TikTrendBot\nDisallow: /api/\n");
    const auto id = stack.add();
    const auto worker = stack.start_worker();
    REQUIRE(stack.wait_for_state(id, "failed"));
    const auto reason = stack.field(id, "failedReason");
    CHECK(reason.find("robots_disallowed: robots.txt of http://127.0.0.1:") == 0);
    CHECK(reason.find("does not allow TikTrendBot to fetch") != std::string::npos);
    const auto requests = boost::json::parse(stack.shop_get("/_control/stats")).at("requests").as_object();
    CHECK(requests.at("/robots.txt").as_int64() == 1);
    CHECK_FALSE(requests.contains("/api/products"));
}

TEST_CASE("bad input 40: a robots.txt that cannot be had postpones the job without an attempt",
          "[integration][worker][robots]") {
    worker_stack stack;
    stack.shop_post("/_control", R"({"path":"/robots.txt","kind":"status","status":503,"count":100})");
    const auto id = stack.add();
    const auto worker = stack.start_worker();
    REQUIRE(stack.wait_for_state(id, "delayed"));
    CHECK(stack.field(id, "atm").empty());
    const auto requests = boost::json::parse(stack.shop_get("/_control/stats")).at("requests").as_object();
    CHECK_FALSE(requests.contains("/api/products"));
}

TEST_CASE("bad input 40: a robots.txt that redirects for ever, is huge or never ends does not stop a scrape",
          "[integration][worker][robots]") {
    for (const auto* kind : {"redirect_loop", "huge", "endless", "empty", "html"}) {
        worker_stack stack;
        INFO(kind);
        stack.shop_post("/_control",
                        std::string{R"({"path":"/robots.txt","count":100,"kind":")"} + kind + "\"}");
        const auto id = stack.add();
        const auto worker = stack.start_worker();
        CHECK(stack.wait_for_state(id, "completed"));
    }
}

TEST_CASE("crawl delays above a minute end the job, smaller ones slow it down",
          "[integration][worker][robots]") {
    worker_stack stack;
    stack.shop_post("/_control/robots", "User-agent: *\nCrawl-delay: 61\n");
    const auto refused = stack.add();
    auto worker = stack.start_worker();
    REQUIRE(stack.wait_for_state(refused, "failed"));
    CHECK(stack.field(refused, "failedReason").find("crawl_delay_too_long: ") == 0);
}

TEST_CASE("all workers read a robots.txt once", "[integration][worker][robots]") {
    worker_stack stack;
    const auto first = stack.add();
    {
        const auto worker = stack.start_worker();
        REQUIRE(stack.wait_for_state(first, "completed"));
    }
    const auto second = stack.add();
    const auto other = stack.start_worker();
    REQUIRE(stack.wait_for_state(second, "completed"));
    const auto requests = boost::json::parse(stack.shop_get("/_control/stats")).at("requests").as_object();
    CHECK(requests.at("/robots.txt").as_int64() == 1);
}

TEST_CASE("an operator's own shops need no robots.txt", "[integration][worker][robots]") {
    worker_stack stack;
    stack.shop_post("/_control/robots", "User-agent: *\nDisallow: /\n");
    const auto id = stack.add();
    const auto worker = stack.start_worker({{"OBEY_ROBOTS", "false"}});
    REQUIRE(stack.wait_for_state(id, "completed"));
}
