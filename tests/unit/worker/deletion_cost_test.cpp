#include "drain/deletion_cost.hpp"

#include <catch2/catch.hpp>

using tiktrend::worker::is_worth_saying;

TEST_CASE("a pod's deletion cost is told when idle and busy change places, or the number halves or doubles",
          "[unit][worker]") {
    CHECK(is_worth_saying(0, 1));
    CHECK(is_worth_saying(1, 0));
    CHECK(is_worth_saying(5, 10));
    CHECK(is_worth_saying(10, 5));
    CHECK_FALSE(is_worth_saying(0, 0));
    CHECK_FALSE(is_worth_saying(10, 10));
    CHECK_FALSE(is_worth_saying(10, 8));
}
