#include "transfer_slots.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::fetch;
using namespace std::chrono_literals;

namespace {

steady_time soon() {
    return std::chrono::steady_clock::now() + 10s;
}

task<void> use(transfer_slots& slots, std::string origin, std::string& trace, event& end) {
    const auto slot = co_await slots.acquire(origin, soon());
    trace += slot ? origin : "-";
    if (slot) co_await end.wait();
}

task<void> turns() {
    co_await sleep_for(2ms);
}

} // namespace

TEST_CASE("an origin that is full does not hold up another", "[unit][fetch]") {
    auto body = []() -> task<void> {
        const auto ex = co_await asio::this_coro::executor;
        transfer_slots slots{ex, 1, 2, 10};
        event end{ex};
        std::string trace;
        task_group group{ex};
        for (const char* origin : {"a", "a", "b", "c"})
            group.spawn(origin, use(slots, origin, trace, end));
        co_await turns();
        CHECK(trace == "ab");
        CHECK(slots.in_use() == 2);
        CHECK(slots.waiting() == 2);
        end.set();
        co_await group.join();
        CHECK(trace == "abac");
        CHECK(slots.in_use() == 0);
    };
    testing::run_coroutine(body());
}

TEST_CASE("a waiter past its deadline, past the bound or after close gets nothing", "[unit][fetch]") {
    auto body = []() -> task<void> {
        const auto ex = co_await asio::this_coro::executor;
        transfer_slots slots{ex, 1, 1, 1};
        event end{ex};
        std::string trace;
        task_group group{ex};
        {
            const auto held = co_await slots.acquire("a", soon());
            CHECK(static_cast<bool>(held));
            CHECK_FALSE(
                static_cast<bool>(co_await slots.acquire("a", std::chrono::steady_clock::now() + 1ms)));
            group.spawn("waits", use(slots, "a", trace, end));
            co_await turns();
            CHECK_FALSE(static_cast<bool>(co_await slots.acquire("b", soon()))); // one waits already
            slots.close();
            co_await group.join();
            CHECK(trace == "-");
        }
        CHECK_FALSE(static_cast<bool>(co_await slots.acquire("a", soon())));
        CHECK(slots.in_use() == 0);
    };
    testing::run_coroutine(body());
}

TEST_CASE("a cancelled waiter loses no slot", "[unit][fetch]") {
    auto body = []() -> task<void> {
        const auto ex = co_await asio::this_coro::executor;
        transfer_slots slots{ex, 1, 1, 10};
        event end{ex};
        std::string trace;
        task_group group{ex};
        {
            const auto held = co_await slots.acquire("a", soon());
            group.spawn("waits", use(slots, "a", trace, end));
            co_await turns();
            CHECK(slots.waiting() == 1);
        } // granted here …
        group.cancel(); // … and cancelled before it could run
        co_await group.join();
        CHECK(slots.in_use() == 0);
        CHECK(static_cast<bool>(co_await slots.acquire("a", soon())));
    };
    testing::run_coroutine(body());
}
