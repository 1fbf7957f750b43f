#include <tiktrend/queue/cron.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <random>

namespace tiktrend::queue {
namespace {

cron_expression cron(std::string_view text) {
    std::string why;
    auto e = cron_expression::parse(text, why);
    INFO(text << ": " << why);
    REQUIRE(e);
    return *e;
}

std::string refusal(std::string_view text) {
    std::string why;
    return cron_expression::parse(text, why) ? std::string{} : why;
}

constexpr std::int64_t utc(int y, unsigned m, unsigned d, int h = 0, int min = 0, int s = 0) {
    const auto days = std::chrono::sys_days{std::chrono::year{y} / static_cast<int>(m) / static_cast<int>(d)};
    return (days.time_since_epoch().count() * 24LL * 3600 + h * 3600 + min * 60 + s) * 1000;
}

TEST_CASE("five fields begin with minutes, six with seconds", "[unit][queue][cron]") {
    const auto at = utc(2026, 3, 4, 10, 20, 30);
    CHECK(cron("*/15 * * * *").next_after(at, "") == utc(2026, 3, 4, 10, 30));
    CHECK(cron("*/15 * * * * *").next_after(at, "") == utc(2026, 3, 4, 10, 20, 45));
    CHECK(cron("*/15 * * * * *").next_after(at + 1, "") == utc(2026, 3, 4, 10, 20, 45));
    CHECK(cron("30 20 10 4 3 *").next_after(at - 1, "") == at);
    CHECK(cron("30 20 10 4 3 *").next_after(at, "") == utc(2027, 3, 4, 10, 20, 30));
    CHECK(cron("@hourly").next_after(at, "") == utc(2026, 3, 4, 11));
}

TEST_CASE("ranges, steps, lists and names are read", "[unit][queue][cron]") {
    const auto at = utc(2026, 3, 4); // a Wednesday
    CHECK(cron("0 8-18/4 * * *").next_after(at + 9 * 3'600'000, "") == utc(2026, 3, 4, 12));
    CHECK(cron("0 0 * JAN,may *").next_after(at, "") == utc(2026, 5, 1));
    CHECK(cron("0 0 * * Mon-Tue").next_after(at, "") == utc(2026, 3, 9));
    CHECK(cron("0 0 ? * 7").next_after(at, "") == utc(2026, 3, 8));
    CHECK(cron("0 0 ? * 5-7").next_after(utc(2026, 3, 7), "") == utc(2026, 3, 8));
}

TEST_CASE("last and nth days are found", "[unit][queue][cron]") {
    const auto at = utc(2026, 2, 1);
    CHECK(cron("0 0 L * *").next_after(at, "") == utc(2026, 2, 28));
    CHECK(cron("0 0 L 2 *").next_after(utc(2026, 3, 1), "") == utc(2027, 2, 28));
    CHECK(cron("0 0 * * 5L").next_after(at, "") == utc(2026, 2, 27));
    CHECK(cron("0 0 * * 5#3").next_after(at, "") == utc(2026, 2, 20));
    CHECK(cron("0 0 29 2 *").next_after(at, "") == utc(2028, 2, 29));
    CHECK_FALSE(cron("0 0 31 4,6 *").next_after(at, ""));
}

TEST_CASE("a day that fits in either way is due", "[unit][queue][cron]") {
    const auto both = cron("0 0 13 * 5");
    CHECK(both.next_after(utc(2026, 1, 3), "") == utc(2026, 1, 9));  // a Friday
    CHECK(both.next_after(utc(2026, 1, 9), "") == utc(2026, 1, 13)); // the 13th, a Tuesday
}

TEST_CASE("local times follow the zone's clock", "[unit][queue][cron]") {
    const auto daily = cron("30 2 * * *");
    // Madrid skips 2:00 to 3:00 on 29 March 2026 and repeats it on 25 October.
    CHECK(daily.next_after(utc(2026, 3, 28, 12), "Europe/Madrid") == utc(2026, 3, 29, 1, 30)); // 3:30 there
    CHECK(daily.next_after(utc(2026, 3, 29, 12), "Europe/Madrid") == utc(2026, 3, 30, 0, 30));
    CHECK(daily.next_after(utc(2026, 10, 24, 12), "Europe/Madrid") ==
          utc(2026, 10, 25, 0, 30)); // the first 2:30
    CHECK(daily.next_after(utc(2026, 10, 25, 0, 30), "Europe/Madrid") == utc(2026, 10, 26, 1, 30));
    CHECK(daily.next_after(utc(2026, 1, 1), "UTC+5:30") == utc(2026, 1, 1, 21));
    CHECK(daily.next_after(utc(2026, 1, 1), "america/new_york") == utc(2026, 1, 1, 7, 30));
    CHECK_THROWS_AS(daily.next_after(0, "Mars/Olympus"), std::invalid_argument);
    CHECK(is_time_zone("Asia/Kathmandu"));
    CHECK_FALSE(is_time_zone("UTC+x"));
    CHECK_FALSE(is_time_zone("../etc/passwd"));
}

TEST_CASE("what is not a cron expression is refused with the part and the rule", "[unit][queue][cron]") {
    CHECK(refusal("60 * * * *") == "minute \"60\": a value is in 0-59");
    CHECK(refusal("* * * * * * *") == "it has more than 6 fields");
    CHECK(refusal("") == "it is empty");
    CHECK(refusal("* * 30 2 *") == "day of month \"30\": the month has no such day");
    CHECK(refusal("5-3 * * * *") == "minute \"5-3\": a range goes upwards");
    CHECK(refusal("*/0 * * * *").find("a step is positive") != std::string::npos);
    CHECK(refusal("H * * * *") == "minute \"H\": H (a random value) is not supported");
    CHECK(refusal("* * * * 5#6").find("after #") != std::string::npos);
    CHECK(refusal("* * * foo *").find("foo") != std::string::npos);
    for (const char* bad :
         {"1,1 * * * *", ", * * * *", "1/2/3 * * * *", "a * * * *", "* * * * L", "* * * * 1,2#3", "@never",
          "- * * * *", "1- * * * *", "*/x * * * *", "* * LL * *", "99999999999 * * * *"})
        CHECK_FALSE(refusal(bad).empty());
}

TEST_CASE("any text is either understood or refused with a reason", "[unit][queue][cron]") {
    std::mt19937 random{20'261'126};
    constexpr std::string_view letters = "0123456789*?,-/#LH \tjanSUNx@\x80";
    std::size_t understood = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        for (auto n = random() % 24; n > 0; --n)
            text += letters[random() % letters.size()];
        if (i % 2 == 0) text = "* * * * " + text;
        std::string why;
        const auto e = cron_expression::parse(text, why);
        if (!e) {
            if (why.empty()) FAIL("no reason for \"" << text << "\"");
            continue;
        }
        ++understood;
        const auto at = utc(2026, 1, 1);
        const auto next = e->next_after(at, "");
        if (next && (*next <= at || *next % 1000 != 0)) FAIL("\"" << text << "\" is due at " << *next);
    }
    CHECK(understood > 100);
}

} // namespace
} // namespace tiktrend::queue
