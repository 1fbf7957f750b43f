#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

TEST_CASE("locks are renewed for their owner only", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"a", "b", "c"})
        f.add(id);
    f.fetch("T", 3);
    f.redis({"PEXPIRE", f.key("a:lock"), "50000"});
    f.redis({"SET", f.key("b:lock"), "other"});
    f.redis({"DEL", f.key("c:lock")});
    f.redis({"SADD", f.key("stalled"), "a", "b", "c"});
    CHECK(f.script("renew_locks", {"90000", "a", "T", "b", "T", "c", "T"}) == "2\n3");
    CHECK(std::stoi(f.redis({"PTTL", f.key("a:lock")})) > 80'000);
    CHECK(f.redis({"GET", f.key("b:lock")}) == "other");
    CHECK_FALSE(f.exists("c:lock"));
    CHECK(f.members("stalled") == std::set<std::string>{"b", "c"});
}

TEST_CASE("a stalled job returns to the front of wait after it was seen twice",
          "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"s1", "s2"})
        f.add(id);
    f.add("s3", "5");
    f.fetch("T", 3);
    f.add("new");
    const auto check = [&](const std::string& allowed) {
        f.redis({"DEL", f.key("stalled-check")});
        return f.script("stalled_check", {"2000000", "30000", allowed});
    };
    CHECK(check("1") == "");
    CHECK(f.members("stalled") == std::set<std::string>{"s1", "s2", "s3"});
    CHECK(f.redis({"GET", f.key("stalled-check")}) == "2000000");
    CHECK(std::stoi(f.redis({"PTTL", f.key("stalled-check")})) > 29'000);

    const auto left =
        std::stoi(f.script("stalled_check", {"2000000", "30000", "1"})); // not again within the interval
    CHECK((left > 29'000 && left <= 30'000));
    CHECK(check("1") == ""); // they are locked

    f.redis({"DEL", f.key("s1:lock"), f.key("s3:lock")});
    f.redis({"DEL", f.key("marker")});
    f.clear_events();
    const auto moved = lines(check("1"));
    CHECK(std::set<std::string>(moved.begin(), moved.end()) == std::set<std::string>{"s1", "s3"});
    const auto wait = f.list("wait");
    REQUIRE(wait.size() == 3);
    CHECK(wait[0] == "new");
    CHECK(f.list("active") == strings{"s2"});
    CHECK(f.field("s1", "stc") == "1");
    CHECK(f.field("s1", "defa") == "(nil)");
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.members("stalled") == std::set<std::string>{"s2"});
    const auto events = f.events();
    REQUIRE(events.size() == 4);
    for (std::size_t i = 0; i < 4; i += 2) {
        CHECK(events[i].substr(0, 10) == "waiting s" + events[i + 1].substr(9, 1));
        CHECK(events[i].ends_with("prev=active"));
        CHECK(events[i + 1].starts_with("stalled s"));
    }

    SECTION("once more than allowed, it is to fail") {
        f.fetch("U", 3);
        check("1");
        f.redis({"DEL", f.key("s1:lock")});
        CHECK(check("1") == "s1");
        CHECK(f.field("s1", "stc") == "2");
        CHECK(f.field("s1", "defa") == "job stalled more than allowable limit");
    }
    SECTION("unless it belongs to a scheduler") {
        f.fetch("U", 3);
        f.redis({"HSET", f.key("s1"), "rjk", "every-hour"});
        f.redis({"ZADD", f.key("repeat"), "1", "every-hour"});
        check("0");
        f.redis({"DEL", f.key("s1:lock")});
        CHECK(check("0") == "s1");
        CHECK(f.field("s1", "defa") == "(nil)");
    }
}

TEST_CASE("a lost call is looked into before anything is sent again", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"done", "gone", "open", "stolen", "again", "late"})
        f.add(id);
    f.fetch("T", 6);
    std::vector<ended_job> ended;
    const auto with = [&](const char* kind, const char* id, const char* count = "") {
        ended.push_back({kind, id, "T", "null", "[]", count, "", "", "0", ""});
    };
    with("completed", "done");
    with("completed", "gone", "0");
    with("wait", "again");
    with("delayed", "late");
    f.add("fresh");
    // The call that is "lost": it ran, and took a job.
    f.redis({"DEL", f.key("wait")});
    f.add("taken");
    f.script("finish_and_fetch", finish_words(2'000'000, ended, 1, "C:7"));
    f.redis({"SET", f.key("stolen:lock"), "other"});

    const auto taken = f.redis({"GET", f.key("taken:lock")}) == "C:7" ? "taken" : "again";
    const auto reply =
        lines(f.script("recover", {"C:7", "30000",     "2000000", "0",      "completed", "done",      "T",
                                   "",    "completed", "gone",    "T",      "1",         "completed", "open",
                                   "T",   "",          "failed",  "stolen", "T",         ""}));
    REQUIRE(reply.size() > 4);
    CHECK(strings(reply.begin(), reply.begin() + 4) == strings{"1", "1", "0", "2"});
    CHECK(reply[reply.size() - 2] == taken); // the job that nobody runs
    CHECK(reply.back() == "0");
    CHECK(lines(f.script("recover", {"", "30000", "2000000", "0", "wait", "late", "T", "", "delayed", "late",
                                     "T", ""})) == strings{"1", "1", "", "0"});
    CHECK(f.script("recover", {"C:8", "30000", "2000000", "0", "completed", "open", "T", ""}) == "0\n\n0");
}

TEST_CASE("a job that an error stopped on its way out is put back where its end can be sent again",
          "[integration][queue][script]") {
    queue_fixture f;
    f.add("out");
    f.add("in");
    f.fetch("T", 2);
    f.redis({"LREM", f.key("active"), "0", "out"}); // all that was done
    CHECK(lines(f.script("recover", {"", "30000", "2000000", "0", "completed", "out", "T", "", "completed",
                                     "in", "T", ""})) == strings{"0", "0", "", "0"});
    CHECK(f.list("active") == strings{"out", "in"});
    CHECK(f.list("wait").empty());
}

} // namespace
} // namespace tiktrend::testing
