#include "crawl/shared_politeness.hpp"
#include "worker_stack.hpp"

#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

host_rules rules(std::chrono::milliseconds delay, int concurrency) {
    host_rules r;
    r.delay = delay;
    r.concurrency = concurrency;
    return r;
}

redis::client_options waiting_client() {
    redis::client_options o;
    o.wait_for_connection = true;
    return o;
}

/// One worker's politeness with a connection of its own.
struct participant {
    participant(asio::any_io_executor ex, const testing::redis_server& server,
                shared_politeness_options o = shared_politeness_options{})

        : random{7}, client{ex, *redis::parse_url(server.unix_url()), waiting_client()},
          polite{client, random, std::move(o)} {
        client.start();
    }
    task<void> stop() {
        co_await polite.stop(2s);
        co_await client.stop();
    }
    default_random random;
    redis::client client;
    shared_politeness polite;
};

struct record {
    std::vector<steady_time> starts;
    int inside = 0;
    int most = 0;
};

task<void> visit(politeness& p, host_rules r, std::chrono::milliseconds hold, record& out) {
    const auto permit = co_await p.enter("https://shop.test", r, 10s);
    if (!permit) co_return;
    out.starts.push_back(steady::now());
    out.most = std::max(out.most, ++out.inside);
    co_await sleep_for(hold);
    --out.inside;
}

} // namespace

TEST_CASE("two workers together keep a host's distance and number", "[integration][worker][politeness]") {
    testing::redis_server redis;
    auto body = [](const testing::redis_server& server) -> task<void> {
        const auto ex = co_await asio::this_coro::executor;
        participant a{ex, server};
        participant b{ex, server};
        record seen;
        task_group group{ex};
        for (int i = 0; i < 4; ++i) {
            group.spawn("a", visit(a.polite, rules(50ms, 1), 5ms, seen));
            group.spawn("b", visit(b.polite, rules(50ms, 1), 5ms, seen));
        }
        co_await group.join();
        REQUIRE(seen.starts.size() == 8);
        CHECK(seen.most == 1);
        for (std::size_t i = 1; i < seen.starts.size(); ++i)
            CHECK(seen.starts[i] - seen.starts[i - 1] >= 35ms); // 50 ms less a fifth, less the way from Redis
        co_await a.stop();
        co_await b.stop();
    };
    testing::run_coroutine(body(redis));
}

TEST_CASE("a pause told by one worker holds for the other and is not shortened",
          "[integration][worker][politeness]") {
    testing::redis_server redis;
    auto body = [](const testing::redis_server& server) -> task<void> {
        const auto ex = co_await asio::this_coro::executor;
        participant a{ex, server};
        participant b{ex, server};
        a.polite.pause("https://shop.test", 1h);
        a.polite.pause("https://shop.test", 1s);
        co_await a.polite.stop(2s); // both are in Redis
        const auto refused = co_await b.polite.enter("https://shop.test", rules(0ms, 1), 10s);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error() > 59min);
        {
            const auto permit = co_await b.polite.enter("https://other.test", rules(0ms, 1), 10s);
            CHECK(permit.has_value());
        }
        co_await a.stop();
        co_await b.stop();
    };
    testing::run_coroutine(body(redis));
}

TEST_CASE("an overloaded host is asked less often and a quiet one as before",
          "[integration][worker][politeness]") {
    testing::redis_server redis;
    auto body = [](const testing::redis_server& server) -> task<void> {
        shared_politeness_options o;
        o.quiet = 1ms;
        participant a{co_await asio::this_coro::executor, server, o};
        const auto ask = [](participant& p, bool is_overloaded) -> task<std::chrono::milliseconds> {
            const auto begun = steady::now();
            auto permit = co_await p.polite.enter("https://shop.test", rules(40ms, 1), 10s);
            const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begun);
            if (permit) permit->report({is_overloaded, 1ms});
            co_return waited;
        };
        co_await ask(a, true); // the learnt delay is 80 ms now
        co_await a.polite.stop(2s);
        CHECK((co_await ask(a, true)) >= 60ms); // … and 160 ms
        co_await a.polite.stop(2s);
        CHECK((co_await ask(a, false)) >= 120ms);
        for (int i = 0; i < 3; ++i)
            co_await ask(a, false); // halved each time: 80, 40, none
        co_await a.polite.stop(2s);
        const auto extra =
            co_await a.client.exec(redis::command{"HGET", "tiktrend:host:{https://shop.test}", "extra"});
        CHECK(extra.text() == "0");
        co_await a.stop();
    };
    testing::run_coroutine(body(redis));
}

TEST_CASE("the lease of a worker that died ends by itself", "[integration][worker][politeness]") {
    testing::redis_server redis;
    auto body = [](const testing::redis_server& server) -> task<void> {
        const auto ex = co_await asio::this_coro::executor;
        shared_politeness_options o;
        o.lease = 200ms;
        participant a{ex, server, o};
        participant b{ex, server, o};
        auto held = co_await a.polite.enter("https://shop.test", rules(0ms, 1), 10s);
        REQUIRE(held.has_value());
        const auto begun = steady::now();
        CHECK((co_await b.polite.enter("https://shop.test", rules(0ms, 1), 10s)).has_value());
        CHECK(steady::now() - begun >= 150ms);
        {
            const auto ends = std::move(*held);
        }
        co_await a.stop();
        co_await b.stop();
    };
    testing::run_coroutine(body(redis));
}

TEST_CASE("a lease whose answer is lost does not close the host", "[integration][worker][politeness]") {
    testing::redis_server redis;
    auto body = [](const testing::redis_server& server) -> task<void> {
        shared_politeness_options o;
        o.redis_limit = 50ms;
        participant a{co_await asio::this_coro::executor, server, o};
        participant b{co_await asio::this_coro::executor, server};
        co_await a.client.wait_connected(5s);
        co_await b.client.wait_connected(5s);
        // Commands wait in the server and run all the same, when their caller has given up.
        co_await b.client.exec(redis::command{"CLIENT", "PAUSE", "300", "ALL"});
        {
            const auto own_rule = co_await a.polite.enter("https://shop.test", rules(0ms, 1), 10s);
            CHECK(own_rule.has_value());
        }
        const auto begun = steady::now();
        CHECK((co_await b.polite.enter("https://shop.test", rules(0ms, 1), 10s)).has_value());
        CHECK(steady::now() - begun < 30s); // the lease itself would last for two minutes
        co_await a.stop();
        co_await b.stop();
    };
    testing::run_coroutine(body(redis));
}

TEST_CASE("with Redis gone a worker keeps its own rule and counts it", "[integration][worker][politeness]") {
    testing::redis_server redis;
    auto body = [](testing::redis_server& server) -> task<void> {
        int fallbacks = 0;
        shared_politeness_options o;
        o.redis_limit = 100ms;
        o.on_fallback = [&fallbacks] { ++fallbacks; };
        participant a{co_await asio::this_coro::executor, server, o};
        co_await a.client.wait_connected(5s);
        server.stop();
        record seen;
        co_await visit(a.polite, rules(30ms, 1), 0ms, seen);
        co_await visit(a.polite, rules(30ms, 1), 0ms, seen);
        REQUIRE(seen.starts.size() == 2);
        CHECK(seen.starts[1] - seen.starts[0] >= 20ms);
        CHECK(fallbacks >= 2);
        co_await a.stop();
    };
    testing::run_coroutine(body(redis));
}

TEST_CASE("two worker programs on one shop keep its rule by the shop's own clock",
          "[integration][worker][politeness]") {
    worker_stack stack;
    const environment slow{{"SCRAPE_MIN_DELAY", "120ms"}};
    stack.shop_post("/_control/reset");
    const auto first = stack.add();
    const auto second = stack.add();
    const auto one = stack.start_worker(slow);
    const auto two = stack.start_worker(slow);
    REQUIRE(stack.wait_for_state(first, "completed"));
    REQUIRE(stack.wait_for_state(second, "completed"));
    const auto stats = boost::json::parse(stack.shop_get("/_control/stats")).as_object();
    CHECK(stats.at("closest_ms").as_int64() >= 80); // 120 ms less a fifth, less scheduling
    CHECK(stats.at("requests").at("/api/products").as_int64() >= 10);
}
