#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

/// Job 1 as another client would have added it with a deduplication id, active here.
class owner_fixture : public queue_fixture {
public:
    owner_fixture() {
        add("");
        redis({"HSET", key("1"), "deid", "dd"});
        redis({"SET", key("de:dd"), "1"});
        fetch("T", 1);
        clear_events();
    }
    void complete() {
        script("finish_and_fetch",
               finish_words(2'000'000, {{"completed", "1", "T", "null", "", "", "", "", "0", ""}}));
    }
};

TEST_CASE("a deduplication id is free once its owner has finished", "[integration][queue][script]") {
    owner_fixture f;
    SECTION("completed") {
        f.complete();
    }
    SECTION("failed") {
        f.script("finish_and_fetch",
                 finish_words(2'000'000, {{"failed", "1", "T", "x", "[]", "", "", "", "0", ""}}));
    }
    CHECK_FALSE(f.exists("de:dd"));
}

TEST_CASE("a deduplication id with time left, or of another job, stays", "[integration][queue][script]") {
    owner_fixture f;
    SECTION("throttled") {
        f.redis({"PEXPIRE", f.key("de:dd"), "60000"});
    }
    SECTION("another owner") {
        f.redis({"SET", f.key("de:dd"), "2"});
    }
    f.complete();
    CHECK(f.exists("de:dd"));
}

TEST_CASE("a retry does not free the id", "[integration][queue][script]") {
    owner_fixture f;
    f.script("finish_and_fetch",
             finish_words(2'000'000, {{"wait", "1", "T", "x", "[]", "", "", "", "0", "L"}}));
    CHECK(f.redis({"GET", f.key("de:dd")}) == "1");
}

TEST_CASE("a job set aside while the owner ran is created before the owner's end is told",
          "[integration][queue][script]") {
    owner_fixture f;
    f.redis({"HSET", f.key("dn:dd"), "name", "a", "data", R"({"v":3})", "opts",
             R"({"priority":4,"de":{"id":"dd","keepLastIfActive":true},"attempts":0})", "jid", "3"});
    f.complete();
    CHECK(f.redis({"GET", f.key("de:dd")}) == "3");
    CHECK_FALSE(f.exists("dn:dd"));
    CHECK(f.redis({"GET", f.key("id")}) == "2");
    CHECK(f.hash("3") ==
          dump{{"name", "a"},
               {"data", R"({"v":3})"},
               {"opts", R"({"priority":4,"de":{"id":"dd","keepLastIfActive":true},"attempts":0})"},
               {"timestamp", "2000000"},
               {"delay", "0"},
               {"priority", "4"},
               {"deid", "dd"}});
    CHECK(f.score("prioritized", "3") == "17179869185");
    CHECK(f.events() == strings{"added 3 name=a", "waiting 3", "completed 1 returnvalue=null prev=active"});
}

TEST_CASE("a job set aside keeps its delay and its parent", "[integration][queue][script]") {
    owner_fixture f;
    f.redis({"HSET", f.key("dn:dd"), "name", "a", "data", "1", "opts", R"({"delay":5000})", "jid", "next",
             "pk", "bull:up:p", "pd", R"({"id":"p","queueKey":"bull:up"})", "pdk", "bull:up:p:dependencies"});
    f.complete();
    CHECK(f.score("delayed", "next") == "8212480000");
    CHECK(f.field("next", "parentKey") == "bull:up:p");
    CHECK(f.field("next", "parent") == R"({"id":"p","queueKey":"bull:up"})");
    CHECK(f.redis({"SMEMBERS", "bull:up:p:dependencies"}) == "bull:q:next");
    CHECK(f.events() == strings{"added next name=a", "delayed next delay=2005000",
                                "completed 1 returnvalue=null prev=active", "drained"});
}

TEST_CASE("removing the owner frees the id and forgets what was set aside", "[integration][queue][script]") {
    owner_fixture f;
    f.redis({"HSET", f.key("dn:dd"), "name", "a", "data", "1", "opts", "{}", "jid", "3"});
    f.redis({"DEL", f.key("1:lock")});
    CHECK(f.script("remove", {"1", "2000000"}) == "1");
    CHECK_FALSE(f.exists("de:dd"));
    CHECK_FALSE(f.exists("dn:dd"));
}

TEST_CASE("what was set aside does not replace a job that came with its id meanwhile",
          "[integration][queue][script]") {
    owner_fixture f;
    f.redis({"HSET", f.key("dn:dd"), "name", "later", "data", "2", "opts", "{}", "jid", "y"});
    f.add("y");
    f.clear_events();
    f.complete();
    CHECK(f.field("y", "name") == "paint");
    CHECK(f.list("wait") == strings{"y"});
    CHECK_FALSE(f.exists("dn:dd"));
    CHECK(f.events().front() == "duplicated y");
}

} // namespace
} // namespace tiktrend::testing
