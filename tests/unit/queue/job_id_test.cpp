#include "job_id.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

TEST_CASE("ids that mean something else are refused", "[unit][queue]") {
    for (const char* id :
         {"", "0", "12", "-3", "007", "9999999999999999999999", "a:b", "a:b:c", ":", "0:x"}) {
        CAPTURE(id);
        CHECK_FALSE(is_valid_custom_id(id));
    }
    for (const char* id : {"id",
                           "meta",
                           "wait",
                           "paused",
                           "active",
                           "prioritized",
                           "pc",
                           "delayed",
                           "waiting-children",
                           "completed",
                           "failed",
                           "stalled",
                           "stalled-check",
                           "marker",
                           "events",
                           "limiter",
                           "repeat",
                           "de",
                           "dn",
                           "metrics",
                           "priority",
                           "delay"}) {
        CAPTURE(id);
        CHECK_FALSE(is_valid_custom_id(id));
    }
    CHECK_FALSE(is_valid_custom_id("\xc3\x28"));
    CHECK_FALSE(is_valid_custom_id(std::string(1001, 'x')));
}

TEST_CASE("other texts are ids", "[unit][queue]") {
    for (const char* id :
         {"a", "report-2026-11", "1a", "-", "--3", "1.5", "+1", " 7", "Wait", "événement", "waiting2"}) {
        CAPTURE(id);
        CHECK(is_valid_custom_id(id));
    }
    CHECK(is_valid_custom_id(std::string(1000, 'x')));
}

TEST_CASE("a stored job's id is not one of the queue's own keys", "[unit][queue]") {
    for (const char* id :
         {"1", "007", "report", "a:b:c", "repeat:ev:1795453935487", "repeat:a:b:5", "waiting"}) {
        CAPTURE(id);
        CHECK(is_possible_job_id(id));
    }
    for (const char* id : {"",
                           "meta",
                           "wait",
                           "repeat",
                           "repeat:ev",
                           "repeat:a:b",
                           "de:x",
                           "dn:x",
                           "metrics:failed",
                           "metrics:completed:data",
                           "5:lock",
                           "5:logs",
                           "5:dependencies",
                           "a:b:processed",
                           "5:failed",
                           "5:unsuccessful",
                           "repeat:ev:5:logs",
                           "groups",
                           "groups:turn",
                           "group:a:wait"}) {
        CAPTURE(id);
        CHECK_FALSE(is_possible_job_id(id));
    }
}

} // namespace
} // namespace tiktrend::queue
