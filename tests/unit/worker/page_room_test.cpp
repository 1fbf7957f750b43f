#include "crawl/page_room.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

#include <vector>

using namespace tiktrend;
using namespace tiktrend::worker;

namespace {

task<void> visit(page_room& room, event& may_leave, std::vector<int>& entered, int who) {
    const auto place = co_await room.enter();
    entered.push_back(who);
    co_await may_leave.wait();
}

} // namespace

TEST_CASE("pages enter as others leave, in order, and one that gives up takes no place", "[unit][worker]") {
    testing::run_coroutine([]() -> task<void> {
        const auto executor = co_await asio::this_coro::executor;
        page_room room{executor, 2};
        event first{executor}, rest{executor};
        std::vector<int> entered;
        task_group group{executor};
        group.spawn("1", visit(room, first, entered, 1));
        group.spawn("2", visit(room, rest, entered, 2));
        auto& gives_up = group.spawn("3", visit(room, rest, entered, 3));
        group.spawn("4", visit(room, rest, entered, 4));
        group.spawn("5", visit(room, rest, entered, 5));
        CHECK(entered == std::vector{1, 2});
        gives_up.emit(asio::cancellation_type::terminal);
        first.set();
        while (entered.size() < 3)
            co_await asio::post(executor, asio::use_awaitable);
        CHECK(entered == std::vector{1, 2, 4});
        rest.set();
        co_await group.join();
        CHECK(entered == std::vector{1, 2, 4, 5});
        for (int i = 0; i < 2; ++i) { // all places are there again
            const auto a = co_await room.enter();
            const auto b = co_await room.enter();
        }
    }());
}
