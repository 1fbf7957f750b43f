#include "schedule_load.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::gateway;
using namespace std::chrono_literals;

TEST_CASE("a schedule's busiest day counts", "[unit][gateway]") {
    const auto cron = [](std::string_view text, std::int64_t cap = 100'000) {
        return runs_a_day({}, text, cap);
    };
    CHECK(runs_a_day(1s, {}, 100'000) == 86'400);
    CHECK(runs_a_day(24h, {}, 100'000) == 1);
    CHECK(runs_a_day(30 * 24h, {}, 100'000) == 1);
    CHECK(runs_a_day(7h, {}, 100'000) == 4);
    CHECK(cron("0 3 * * *") == 1);
    CHECK(cron("*/5 * * * *") == 288);
    CHECK(cron("*/15 8-18 * * 1-5") == 44);
    CHECK(cron("0 0 1 1 *") == 1);
    CHECK(cron("* * * 1 1 *") == 1440 * 60); // each second of New Year's Day
    CHECK(cron("* * 5L") == 1440);           // days alone: each minute of them
    CHECK(cron("* * L * 5#2") == 1440);
    CHECK(cron("@daily") == 1);
    CHECK(cron("@yearly") == 1);
    CHECK(cron("@hourly") == 24);
    CHECK(cron("@minutely") == 1440);
    CHECK(cron("@weekdays") == 1);
    CHECK(cron("* * * * * *", 500) == 500);
    CHECK(cron("nonsense 1 * * *") == 0);
}
