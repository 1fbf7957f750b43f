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
