#include "backoff.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {
struct fixed_random final : random_source {
    double value = 0;
    double next() override { return value; }
};
} // namespace

TEST_CASE("reconnection waits up to a ceiling that doubles to ten seconds", "[unit][redis]") {
    redis::backoff delays{100ms, 10s};
    fixed_random highest;
    highest.value = 0.999;
    std::vector<std::int64_t> seen;
    for (int i = 0; i < 9; ++i)
        seen.push_back(delays.next(highest).count());
    CHECK(seen == std::vector<std::int64_t>{99, 199, 399, 799, 1598, 3196, 6393, 9990, 9990});
    fixed_random lowest;
    CHECK(delays.next(lowest) == 0ms);
}

TEST_CASE("only a connection that lived 30 s resets the ceiling", "[unit][redis]") {
    redis::backoff delays{100ms, 10s};
    fixed_random half;
    half.value = 0.5;
    delays.next(half);
    delays.next(half);
    delays.connection_ended(29s);
    CHECK(delays.next(half) == 200ms);
    delays.connection_ended(30s);
    CHECK(delays.next(half) == 50ms);
}
