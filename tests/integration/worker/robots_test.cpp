#include "crawl/local_politeness.hpp"
#include "crawl/robots/robots_gate.hpp"
#include "scripted_shop.hpp"
#include "worker_stack.hpp"

#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace tiktrend;
using namespace tiktrend::worker;
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

namespace {

/// Asks for the robots.txt of `hosts` names of one server; the memory that the gate then uses for them.
task<std::size_t> memory_for(const std::string& port, int hosts, const testing::redis_server& server,
                             std::size_t limit) {
    const auto ex = co_await asio::this_coro::executor;
    redis::client cache{ex, *redis::parse_url(server.unix_url())};
    cache.start();
    fetch::client_options settings;
    fetch::address_guard::rules open;
    open.allow.push_back(*fetch::parse_allow_entry("127.0.0.0/8:*"));
    settings.guard = fetch::address_guard{std::move(open)};
    fetch::client fetcher{ex, std::move(settings)};
    default_random random{1};
    local_politeness polite{ex, random};
    robots_gate_options o;
    o.max_memory = limit;
    robots_gate gate{fetcher, polite, cache, system_wall_clock(), o};
    host_rules rules;
    rules.delay = 0ms;
    for (int i = 1; i <= hosts; ++i) {
        const auto where = fetch::parse_url(fmt::format("http://127.0.0.{}:{}/page", i, port));
        const auto verdict = co_await gate.check(*where, rules, 10s);
        CHECK(verdict.what == robots_verdict::kind::allowed);
    }
    const auto out = gate.memory();
    co_await fetcher.stop();
    co_await cache.stop();
    co_return out;
}

} // namespace

TEST_CASE("bad input 40: many large robots.txt files take a bounded memory",
          "[integration][worker][robots]") {
    std::string text = "User-agent: *\n";
    while (text.size() < 200'000)
        text += fmt::format("Disallow: /not/here/{}\n", text.size());
    const scripted_shop shop{
        {{"/robots.txt", [&text](const http::request&) { return http::response::text(200, text); }}},
        "0.0.0.0"};
    const testing::redis_server redis;
    const auto port = shop.host().substr(shop.host().find(':') + 1);
    std::size_t one = 0;
    std::size_t many = 0;
    auto body = [](const std::string& p, const testing::redis_server& server, std::size_t& a,
                   std::size_t& b) -> task<void> {
        a = co_await memory_for(p, 1, server, 1U << 20);
        b = co_await memory_for(p, 20, server, 1U << 20);
    };
    testing::run_coroutine(body(port, redis, one, many), 60s);
    CHECK(one > 200'000);
    CHECK(many > one);
    CHECK(many <= 1U << 20);
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
