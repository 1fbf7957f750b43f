#include <tiktrend/base/event.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {
task<void> count_after(event& e, int& n) {
    co_await e.wait();
    ++n;
}
} // namespace

TEST_CASE("an event wakes every waiter and stays set", "[unit][base]") {
    asio::io_context io{1};
    event e{io.get_executor()};
    int n = 0;
    auto body = [](asio::io_context& c, event& ev, int& count) -> task<void> {
        task_group group{c.get_executor()};
        group.spawn("one", count_after(ev, count));
        group.spawn("two", count_after(ev, count));
        CHECK_FALSE(co_await ev.wait_for(1ms));
        ev.set();
        co_await group.join();
        co_await ev.wait();
    };
    testing::run_on(io, body(io, e, n));
    CHECK(n == 2);
}

TEST_CASE("notify_all wakes without setting", "[unit][base]") {
    asio::io_context io{1};
    event e{io.get_executor()};
    int n = 0;
    auto body = [](asio::io_context& c, event& ev, int& count) -> task<void> {
        task_group group{c.get_executor()};
        group.spawn("one", count_after(ev, count));
        co_await ev.wait_for(1ms);
        ev.notify_all();
        co_await group.join();
        CHECK_FALSE(ev.is_set());
    };
    testing::run_on(io, body(io, e, n));
    CHECK(n == 1);
}
