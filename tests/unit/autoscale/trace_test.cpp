#include "trace.hpp"

#include <catch2/catch.hpp>

#include <sstream>

using namespace tiktrend::autoscale;

namespace {

std::string error_of(const std::string& text) {
    std::istringstream in{text};
    try {
        read_trace(in);
        return "";
    } catch (const std::runtime_error& e) {
        return e.what();
    }
}

} // namespace

TEST_CASE("a trace is read whole, events in order of time", "[unit][autoscale]") {
    std::istringstream in{
        "# a day\nseed 9\nlength 24h\njob 250ms 20%\nstart 1m\nstale 5s\nday 24h 5/s 0.5/s\n"
        "at 10m burst 500 # all at once\nat 1m rate 2.5/s\nat 1h blind 5m\n"};
    const auto t = read_trace(in);
    CHECK(t.seed == 9);
    CHECK(t.length.count() == 86400);
    CHECK(t.job_mean.count() == Approx(0.25));
    CHECK(t.job_spread == Approx(0.2));
    CHECK(t.start_delay.count() == 60);
    CHECK(t.day_high == 5);
    REQUIRE(t.events.size() == 3);
    CHECK(t.events[0].what == trace::kind::rate);
    CHECK(t.events[1].value == 500);
    CHECK(t.events[2].value == 300);
}

TEST_CASE("mistakes in a trace are named with their line", "[unit][autoscale]") {
    CHECK(error_of("seed 1\n\nlenght 1h\n") ==
          "line 3: \"lenght\": expected seed, length, job, start, stale, day or at");
    CHECK(error_of("length 10\n") == "line 1: \"10\": expected a duration like 250ms, 30s, 5m or 2h");
    CHECK(error_of("at 1m explode 3\n").find("expected rate, burst, lose, blind or slow") !=
          std::string::npos);
    CHECK(error_of("at 1m rate 3\n") == "line 1: \"3\": expected a number with /s");
    CHECK(error_of("at 1m burst -3\n") == "line 1: \"-3\": expected a number");
    CHECK(error_of("at 1m burst nan\n") != "");
    CHECK(error_of("at 1m\n") != "");
    CHECK(error_of("job 1.2.3s\n") != "");
}
