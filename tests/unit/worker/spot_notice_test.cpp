#include "drain/drain_plan.hpp"
#include "drain/spot_notice.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::worker;

TEST_CASE("what AWS answers is a notice with its time", "[unit][worker]") {
    const auto n = read_aws_action(R"({"action": "terminate", "time": "2017-09-18T08:22:00Z"})");
    REQUIRE(n);
    CHECK(n->what == "terminate");
    CHECK(n->at_ms == 1505722920000);
    CHECK(read_aws_action(R"({"action":"stop"})")->at_ms == std::nullopt);
    CHECK_FALSE(read_aws_action(R"({"time":"2017-09-18T08:22:00Z"})"));
    CHECK_FALSE(read_aws_action("<html>not found</html>"));
    CHECK_FALSE(read_aws_action(""));
}

TEST_CASE("what Google answers is TRUE or FALSE", "[unit][worker]") {
    CHECK(read_gcp_preempted("TRUE"));
    CHECK(read_gcp_preempted("TRUE\n"));
    CHECK_FALSE(read_gcp_preempted("FALSE"));
    CHECK_FALSE(read_gcp_preempted(""));
    CHECK_FALSE(read_gcp_preempted("TRUEST"));
}

TEST_CASE("of what Azure answers only events that take this machine away count", "[unit][worker]") {
    const auto with = [](std::string_view type, std::string_view resource) {
        return R"({"DocumentIncarnation":2,"Events":[{"EventId":"x","EventStatus":"Scheduled","EventType":")" +
               std::string{type} + R"(","ResourceType":"VirtualMachine","Resources":[")" +
               std::string{resource} + R"("],"NotBefore":"Mon, 19 Sep 2016 18:29:47 GMT"}]})";
    };
    const auto n = read_azure_events(with("Preempt", "vm-1"), "vm-1");
    REQUIRE(n);
    CHECK(n->what == "Preempt");
    CHECK(n->at_ms == 1474309787000);
    CHECK(read_azure_events(with("Preempt", "vm-2"), ""));
    CHECK_FALSE(read_azure_events(with("Preempt", "vm-2"), "vm-1"));
    CHECK_FALSE(read_azure_events(with("Freeze", "vm-1"), "vm-1"));
    CHECK_FALSE(read_azure_events(R"({"DocumentIncarnation":1,"Events":[]})", ""));
    CHECK_FALSE(read_azure_events("[]", ""));
}

TEST_CASE("times that cannot be are no times", "[unit][worker]") {
    for (const char* text : {"", "soon", "2017-13-18T08:22:00Z", "2017-09-31T08:22:00Z",
                             "2017-09-18T25:22:00Z", "2017-09-18T08:22:00", "2017-09-18"}) {
        INFO(text);
        CHECK_FALSE(parse_notice_time(text));
    }
    CHECK(parse_notice_time("2017-09-18T08:22:00.123Z") == 1505722920000);
}

TEST_CASE("the time that a notice leaves makes the phases of each cloud", "[unit][worker]") {
    const std::int64_t now = 1'000'000'000;
    CHECK(usable_ms(cloud::aws, {"terminate", now + 120'000}, now) == 110'000);
    CHECK(usable_ms(cloud::azure, {"Preempt", now + 30'000}, now) == 27'000);
    CHECK(usable_ms(cloud::gcp, {"preempted", std::nullopt}, now) == 13'000);
    CHECK(usable_ms(cloud::aws, {"hibernate", now - 5'000}, now) == 1'000);
    CHECK(usable_ms(cloud::aws, {"terminate", std::nullopt}, now) == 110'000);
}
