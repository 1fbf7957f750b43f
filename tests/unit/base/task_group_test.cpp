#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {
task<void> fail() {
    throw std::runtime_error("no");
    co_return;
}
} // namespace

TEST_CASE("join waits for all; cancel ends what waits", "[unit][base]") {
    asio::io_context io{1};
    auto body = [](asio::io_context& c) -> task<void> {
        task_group group{c.get_executor()};
        group.spawn("sleeper", sleep_for(1h));
        group.spawn("other", sleep_for(1h));
        CHECK_FALSE(co_await group.join_until(std::chrono::steady_clock::now() + 5ms));
        CHECK(group.names() == std::vector<std::string>{"sleeper", "other"});
        group.cancel();
        co_await group.join();
        CHECK(group.size() == 0);
    };
    testing::run_on(io, body(io));
}

TEST_CASE("an exception of a task reaches the handler with the task's name", "[unit][base]") {
    asio::io_context io{1};
    std::string seen;
    auto body = [](asio::io_context& c, std::string& out) -> task<void> {
        task_group::error_handler note = [&out](std::string_view name, std::exception_ptr) { out = name; };
        task_group group{c.get_executor(), note};
        group.spawn("bad", fail());
        co_await group.join();
    };
    testing::run_on(io, body(io, seen));
    CHECK(seen == "bad");
}
