#include <tiktrend/base/stop.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace std::chrono_literals;
using phase = stop_state::phase;

TEST_CASE("a stop drains until its deadline, then terminates", "[unit][base]") {
    asio::io_context io{1};
    stop_state stop{io.get_executor()};
    CHECK(stop.current() == phase::running);
    stop.request(std::chrono::steady_clock::now() + 20ms, "SIGTERM");
    CHECK(stop.current() == phase::draining);
    testing::run_on(io, stop.run());
    CHECK(stop.current() == phase::terminating);
    CHECK(stop.reason() == "SIGTERM");
}

TEST_CASE("a second request only brings the deadline forward", "[unit][base]") {
    asio::io_context io{1};
    stop_state stop{io.get_executor()};
    const auto now = std::chrono::steady_clock::now();
    stop.request(now + 1h, "first");
    stop.request(now + 2h, "later");
    CHECK(stop.deadline() == now + 1h);
    stop.request(now + 10ms, "sooner");
    testing::run_on(io, stop.run());
    CHECK(stop.current() == phase::terminating);
    CHECK(stop.reason() == "first");
}

TEST_CASE("terminate goes straight to phase two", "[unit][base]") {
    asio::io_context io{1};
    stop_state stop{io.get_executor()};
    stop.terminate("now");
    CHECK(stop.draining().is_set());
    testing::run_on(io, stop.run());
    CHECK(stop.current() == phase::terminating);
}
