#include <tiktrend/report/report_limit.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::report;
using namespace std::chrono_literals;

TEST_CASE("one kind is sent once a minute, with how many were left out", "[unit][report]") {
    report_limit limit;
    const report_limit::time start{};
    CHECK(limit.decide("a", start).is_sent);
    for (int i = 0; i < 7; ++i)
        CHECK_FALSE(limit.decide("a", start + 1s).is_sent);
    CHECK(limit.decide("b", start + 1s).is_sent);
    const auto again = limit.decide("a", start + 60s);
    CHECK(again.is_sent);
    CHECK(again.suppressed == 7);
}

TEST_CASE("all kinds together have a limit", "[unit][report]") {
    report_limit limit{5};
    const report_limit::time start{};
    int sent = 0;
    for (int i = 0; i < 1000; ++i)
        sent += limit.decide(std::to_string(i), start + 1s).is_sent ? 1 : 0;
    CHECK(sent == 5);
    CHECK(limit.decide("later", start + 2min).is_sent);
}

TEST_CASE("a server that asks for silence gets it", "[unit][report]") {
    report_limit limit;
    const report_limit::time start{};
    limit.silence_until(start + 30s);
    CHECK_FALSE(limit.decide("a", start + 29s).is_sent);
    CHECK(limit.decide("a", start + 30s).is_sent);
}
