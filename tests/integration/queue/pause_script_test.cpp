#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

TEST_CASE("pausing leaves the ids where they are", "[integration][queue][script]") {
    queue_fixture f;
    f.add("");
    f.clear_events();
    CHECK(f.script("pause", {}) == "0");
    CHECK(f.field("meta", "paused") == "1");
    CHECK(f.list("wait") == strings{"1"});
    CHECK_FALSE(f.exists("paused"));
    CHECK_FALSE(f.exists("marker"));
    CHECK(f.events() == strings{"paused"});
}

TEST_CASE("resuming wakes a worker for what there is", "[integration][queue][script]") {
    queue_fixture f;
    SECTION("a waiting job") {
        f.add("");
        f.script("pause", {});
        f.script("resume", {});
        CHECK(f.score("marker", "0") == "0");
    }
    SECTION("a prioritized job") {
        f.add("", "4");
        f.script("pause", {});
        f.script("resume", {});
        CHECK(f.score("marker", "0") == "0");
    }
    SECTION("a delayed job") {
        f.add("", "0", "5000");
        f.script("pause", {});
        f.script("resume", {});
        CHECK(f.score("marker", "0") == "(nil)");
        CHECK(f.score("marker", "1") == "1005000");
    }
    CHECK(f.field("meta", "paused") == "(nil)");
    CHECK(f.events().back() == "resumed");
}

TEST_CASE("resuming takes over what version 5 moved aside and loses nothing",
          "[integration][queue][script]") {
    queue_fixture f;
    f.add("old");
    f.redis({"RENAME", f.key("wait"), f.key("paused")}); // what version 5 does
    f.redis({"HSET", f.key("meta"), "paused", "1"});
    SECTION("nothing was added since") {
        CHECK(f.script("resume", {}) == "0");
        CHECK(f.list("wait") == strings{"old"});
    }
    SECTION("both lists exist: the older ids are next in line") {
        f.add("new");
        f.redis({"LPUSH", f.key("paused"), "old2"});
        f.clear_events();
        CHECK(f.script("resume", {}) == "0");
        CHECK(f.list("wait") == strings{"new", "old2", "old"});
        CHECK(f.events() == strings{"resumed"});
    }
    SECTION("more than one call can move") {
        f.add("new");
        f.redis(
            {"EVAL", "for i = 1, 7100 do redis.call('LPUSH', KEYS[1], 'x' .. i) end", "1", f.key("paused")});
        f.clear_events();
        CHECK(f.script("resume", {}) == "1");
        CHECK(f.events().empty());
        CHECK(f.script("resume", {}) == "0");
        const auto wait = f.list("wait");
        CHECK(wait.size() == 7102);
        CHECK(wait.front() == "new");
        CHECK(wait[1] == "x7100");
        CHECK(wait.back() == "old");
        CHECK(f.events() == strings{"resumed"});
    }
    CHECK_FALSE(f.exists("paused"));
    CHECK(f.score("marker", "0") == "0");
}

} // namespace
} // namespace tiktrend::testing
