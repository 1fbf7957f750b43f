#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

TEST_CASE("many finished jobs go back to waiting, each where its priority says",
          "[integration][queue][script]") {
    queue_fixture f;
    const auto state = GENERATE(as<std::string>{}, "completed", "failed");
    const auto outcome = state == "completed" ? "returnvalue" : "failedReason";
    int finished_on = 100;
    for (const char* id : {"a", "b", "c"}) {
        f.add(id, id == std::string{"b"} ? "4" : "0");
        f.redis({"HSET", f.key(id), "finishedOn", "1", "processedOn", "1", outcome, "x", "atm", "3"});
        f.redis({"LREM", f.key("wait"), "0", id});
        f.redis({"ZREM", f.key("prioritized"), id});
        f.redis({"ZADD", f.key(state), std::to_string(finished_on++), id});
    }
    f.redis({"ZADD", f.key(state), "50", "ghost", "900", "late"});
    f.redis({"HSET", f.key("late"), "name", "n"});
    f.redis({"DEL", f.key("marker")});
    f.clear_events();
    CHECK(f.script("retry_many", {state, "2", "500"}) == "2");
    CHECK(f.list("wait") == strings{"a"});
    CHECK(f.script("retry_many", {state, "2", "500"}) == "2");
    CHECK(f.script("retry_many", {state, "2", "500"}) == "0");
    CHECK(f.list("wait") == strings{"c", "a"});
    CHECK(f.score("prioritized", "b") == "17179869186"); // the second of the queue's counter
    CHECK(f.sorted(state) == strings{"late"});
    CHECK(f.hash("a").count("finishedOn") + f.hash("a").count("processedOn") + f.hash("a").count(outcome) ==
          0);
    CHECK(f.field("a", "atm") == "3");
    CHECK_FALSE(f.exists("ghost"));
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.events() ==
          strings{"waiting a prev=" + state, "waiting b prev=" + state, "waiting c prev=" + state});
}

TEST_CASE("a retry forgets the counters that are named", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.redis({"LREM", f.key("wait"), "0", "a"});
    const auto fail = [&] {
        f.redis({"HSET", f.key("a"), "atm", "3", "ats", "4"});
        f.redis({"LREM", f.key("wait"), "0", "a"});
        f.redis({"ZADD", f.key("failed"), "1", "a"});
    };
    fail();
    CHECK(f.script("retry", {"a", "failed", "atm"}) == "0");
    CHECK(f.hash("a").count("atm") == 0);
    CHECK(f.field("a", "ats") == "4");
    fail();
    CHECK(f.script("retry", {"a", "failed", "atm", "ats"}) == "0");
    CHECK(f.hash("a").count("ats") == 0);
}

TEST_CASE("many delayed jobs run now, the earliest first, with their priority",
          "[integration][queue][script]") {
    queue_fixture f;
    f.add("b", "0", "60000");
    f.add("a", "0", "30000");
    f.add("p", "4", "90000");
    f.redis({"ZADD", f.key("delayed"), "1", "ghost"});
    f.redis({"DEL", f.key("marker")});
    f.clear_events();
    CHECK(f.script("promote_many", {"3"}) == "3");
    CHECK(f.list("wait") == strings{"b", "a"});
    CHECK(f.script("promote_many", {"3"}) == "1");
    CHECK(f.script("promote_many", {"3"}) == "0");
    CHECK(f.score("prioritized", "p") == "17179869185");
    for (const char* id : {"a", "b", "p"})
        CHECK(f.field(id, "delay") == "0");
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.events() ==
          strings{"waiting a prev=delayed", "waiting b prev=delayed", "waiting p prev=delayed"});
}

TEST_CASE("only jobs that are in no state are orphans", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"w", "run", "lost", "locked"})
        f.add(id);
    f.redis({"LREM", f.key("wait"), "0", "lost"});
    f.redis({"LREM", f.key("wait"), "0", "locked"});
    f.redis({"SET", f.key("locked:lock"), "T"});
    f.script("add_log", {"lost", "row", "0"});
    f.add("p", "4");
    f.add("d", "0", "60000");
    f.redis({"ZADD", f.key("completed"), "1", "c"});
    f.redis({"HSET", f.key("c"), "name", "c"});
    f.redis({"HSET", f.key("notes"), "text", "a hash that is no job"});
    f.redis({"SET", f.key("text"), "no hash"});
    f.redis({"HSET", f.key("repeat:s:7"), "name", "a scheduler called s:7", "ic", "1"});
    f.redis({"HSET", f.key("repeat:s:8"), "name", "tick", "rjk", "s"});
    const auto before = f.keys();
    CHECK(f.script("remove_orphans", {"w", "run", "lost", "locked", "p", "d", "c", "notes", "text",
                                      "repeat:s:7", "repeat:s:8", "nobody"}) == "2");
    auto expected = before;
    for (const char* key : {"lost", "lost:logs", "repeat:s:8"})
        expected.erase(key);
    CHECK(f.keys() == expected);
}

TEST_CASE("keys are scanned where the queue is", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.redis({"SET", "bull:other:a", "1"});
    const auto page = lines(f.script("scan_keys", {"0", f.key("*"), "1000"}));
    CHECK(page.at(0) == "0");
    CHECK(std::set<std::string>(page.begin() + 1, page.end()) ==
          std::set<std::string>{f.key("a"), f.key("events"), f.key("id"), f.key("marker"), f.key("meta"),
                                f.key("wait")});
}

TEST_CASE("a deduplication id is stale when its owner is gone", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.redis({"SET", f.key("de:live"), "a"});
    f.redis({"HSET", f.key("dn:live"), "name", "n"});
    f.redis({"SET", f.key("de:stale"), "gone"});
    f.redis({"HSET", f.key("dn:alone"), "name", "n"});
    CHECK(f.script("remove_stale_deduplication", {"live", "stale", "alone", "none"}) == "2");
    CHECK(f.exists("de:live"));
    CHECK(f.exists("dn:live"));
    CHECK_FALSE(f.exists("de:stale"));
    CHECK_FALSE(f.exists("dn:alone"));
}

TEST_CASE("a job frees its own deduplication id only", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    CHECK(f.script("free_deduplication_id", {"a"}) == "0");
    f.redis({"HSET", f.key("a"), "deid", "X"});
    f.redis({"SET", f.key("de:X"), "b"});
    CHECK(f.script("free_deduplication_id", {"a"}) == "0");
    CHECK(f.exists("de:X"));
    f.redis({"SET", f.key("de:X"), "a"});
    CHECK(f.script("free_deduplication_id", {"a"}) == "1");
    CHECK_FALSE(f.exists("de:X"));
    CHECK(f.script("free_deduplication_id", {"nobody"}) == "-1");
}

} // namespace
} // namespace tiktrend::testing
