#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {
task<int> answer(std::chrono::milliseconds after) {
    co_await sleep_for(after);
    co_return 42;
}
task<int> fails() {
    throw std::runtime_error("own error");
    co_return 0;
}
} // namespace

TEST_CASE("work that ends in time gives its value or its own error", "[unit][base]") {
    auto body = []() -> task<void> {
        CHECK(co_await within(5s, answer(1ms)) == 42);
        CHECK_THROWS_WITH(co_await within(5s, fails()), "own error");
        co_await within(5s, sleep_for(1ms));
    };
    testing::run_coroutine(body());
}

TEST_CASE("work past its deadline is cancelled and reported as timed out", "[unit][base]") {
    auto body = []() -> task<void> {
        error_code code;
        try {
            co_await within(5ms, answer(1h));
        } catch (const system_error& e) {
            code = e.code();
        }
        CHECK(code == errc::timed_out);
    };
    testing::run_coroutine(body());
}

TEST_CASE("whoever cancels a wait with a deadline cancels its work", "[unit][base]") {
    auto body = []() -> task<void> {
        const auto executor = co_await asio::this_coro::executor;
        error_code of_work, of_wait;
        task_group waits{executor};
        auto work = [](error_code& ended) -> task<void> {
            try {
                co_await sleep_for(1h);
            } catch (const system_error& e) {
                ended = e.code();
                throw;
            }
        };
        auto wait = [](task<void> w, error_code& ended) -> task<void> {
            try {
                co_await within(2h, within(1h, std::move(w)));
            } catch (const system_error& e) {
                ended = e.code();
            }
        };
        waits.spawn("wait", wait(work(of_work), of_wait));
        waits.cancel();
        co_await waits.join();
        CHECK(is_cancelled(of_work));
        CHECK(is_cancelled(of_wait));
    };
    testing::run_coroutine(body());
}

TEST_CASE("a value that comes although its deadline passed is not thrown away", "[unit][base]") {
    auto body = []() -> task<void> {
        auto stubborn = []() -> task<int> {
            try {
                co_await sleep_for(1h);
            } catch (const system_error&) {
            }
            co_return 7;
        };
        CHECK(co_await within(5ms, stubborn()) == 7);
        CHECK(co_await within(-1s, []() -> task<int> { co_return 8; }()) == 8);
    };
    testing::run_coroutine(body());
}
