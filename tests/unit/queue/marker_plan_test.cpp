#include "marker_plan.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

using namespace std::chrono_literals;

TEST_CASE("without a delayed job a worker blocks for its drain delay", "[unit][queue]") {
    CHECK(marker_plan(5s, 0).block_for(1000) == 5s);
    CHECK(marker_plan(30s, 0).block_for(1000) == 10s); // never longer
    CHECK(marker_plan(0s, 0).block_for(1000) == 2ms);
}

TEST_CASE("with one it blocks until that is due", "[unit][queue]") {
    const marker_plan plan{5s, 8000};
    CHECK(plan.block_for(1000) == 7s);  // longer than the drain delay is fine: the time is known
    CHECK(plan.block_for(7999) == 2ms); // 1 ms would be without end for Redis before 7.0.8
    CHECK(plan.block_for(8000) == 0s);  // do not block, fetch
    CHECK(plan.block_for(9000) == 0s);
    CHECK(marker_plan(5s, 100'000).block_for(1000) == 10s);
}

TEST_CASE("the marker 0 and a time that has passed lead to a fetch", "[unit][queue]") {
    marker_plan plan{5s, 0};
    CHECK(plan.popped("0", 0, 1000));
    CHECK(plan.popped("1", 999, 1000));
    CHECK(plan.popped("1", 1000, 1000));
    CHECK(plan.popped("something new", 5000, 1000));
}

TEST_CASE("a time to come is remembered instead", "[unit][queue]") {
    marker_plan plan{5s, 0};
    CHECK_FALSE(plan.popped("1", 1700, 1000));
    CHECK(plan.block_for(1005) == 695ms);
}

} // namespace
} // namespace tiktrend::queue
