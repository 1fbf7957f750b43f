#include "crawl/local_politeness.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

host_rules rules(std::chrono::milliseconds delay, int concurrency) {
    host_rules r;
    r.delay = delay;
    r.concurrency = concurrency;
    return r;
}

task<void> visit(politeness& p, std::string host, host_rules r, std::chrono::milliseconds hold,
                 std::vector<steady_time>& starts, int& inside, int& most) {
    const auto permit = co_await p.enter(std::move(host), r, 10s);
    starts.push_back(steady::now());
    most = std::max(most, ++inside);
    co_await sleep_for(hold);
    --inside;
}

} // namespace

TEST_CASE("requests to one host keep their distance and their number", "[unit][worker]") {
    auto body = []() -> task<void> {
        const auto ex = co_await asio::this_coro::executor;
        default_random random{1};
        local_politeness polite{ex, random};
        std::vector<steady_time> starts;
        int inside = 0;
        int most = 0;
        task_group group{ex};
        for (int i = 0; i < 5; ++i)
            group.spawn("visit", visit(polite, "a", rules(20ms, 2), 50ms, starts, inside, most));
        co_await group.join();
        REQUIRE(starts.size() == 5);
        CHECK(most == 2);
        for (std::size_t i = 1; i < starts.size(); ++i)
            CHECK(starts[i] - starts[i - 1] >= 15ms); // 20 ms less a fifth
    };
    testing::run_coroutine(body());
}

TEST_CASE("nobody stands in the line of a slow host for ever", "[unit][worker]") {
    auto body = []() -> task<void> {
        default_random random{1};
        local_politeness polite{co_await asio::this_coro::executor, random, 50ms};
        auto slow = co_await polite.enter("a", rules(0ms, 1), 10s);
        REQUIRE(slow.has_value());
        const auto second = co_await polite.enter("a", rules(0ms, 1), 10s);
        REQUIRE(second.has_error());
        CHECK(second.error() == 1s);
        {
            const auto ends = std::move(*slow);
        }
        CHECK((co_await polite.enter("a", rules(0ms, 1), 10s)).has_value());
    };
    testing::run_coroutine(body());
}

TEST_CASE("one host's turn does not hold up another host", "[unit][worker]") {
    auto body = []() -> task<void> {
        default_random random{1};
        local_politeness polite{co_await asio::this_coro::executor, random};
        const auto first = co_await polite.enter("a", rules(1h, 1), 10s);
        const auto other = co_await polite.enter("b", rules(1h, 1), 10s);
        CHECK(first.has_value());
        CHECK(other.has_value());
        CHECK(polite.hosts() == 2);
    };
    testing::run_coroutine(body());
}

TEST_CASE("a long pause is reported at once, a short one is waited for", "[unit][worker]") {
    auto body = []() -> task<void> {
        default_random random{1};
        local_politeness polite{co_await asio::this_coro::executor, random};
        polite.pause("a", 1h);
        polite.pause("a", 1s); // never shortens
        const auto far = co_await polite.enter("a", rules(0ms, 1), 10s);
        REQUIRE_FALSE(far.has_value());
        CHECK(far.error() > 59min);
        polite.pause("b", 30ms);
        const auto start = steady::now();
        CHECK((co_await polite.enter("b", rules(0ms, 1), 10s)).has_value());
        CHECK(steady::now() - start >= 30ms);
    };
    testing::run_coroutine(body());
}

TEST_CASE("who is cancelled while waiting gives the place to the next", "[unit][worker]") {
    auto body = []() -> task<void> {
        const auto ex = co_await asio::this_coro::executor;
        default_random random{1};
        local_politeness polite{ex, random};
        std::vector<steady_time> starts;
        int inside = 0;
        int most = 0;
        {
            const auto held = co_await polite.enter("a", rules(0ms, 1), 10s);
            task_group group{ex};
            group.spawn("cancelled", visit(polite, "a", rules(0ms, 1), 0ms, starts, inside, most));
            co_await sleep_for(5ms);
            group.cancel();
            co_await group.join();
            CHECK(starts.empty());
        }
        CHECK((co_await polite.enter("a", rules(0ms, 1), 10s)).has_value());
    };
    testing::run_coroutine(body());
}

TEST_CASE("a pause that comes while others wait reaches them", "[unit][worker]") {
    auto body = []() -> task<void> {
        const auto ex = co_await asio::this_coro::executor;
        default_random random{1};
        local_politeness polite{ex, random};
        bool refused = false;
        auto waiting = [](politeness& p, bool& out) -> task<void> {
            const auto permit = co_await p.enter("a", rules(0ms, 1), 1s);
            out = !permit.has_value();
        };
        task_group group{ex};
        {
            const auto held = co_await polite.enter("a", rules(0ms, 1), 1s);
            group.spawn("waits", waiting(polite, refused));
            co_await sleep_for(5ms);
            polite.pause("a", 1h);
        }
        co_await group.join();
        CHECK(refused);
    };
    testing::run_coroutine(body());
}
