#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

TEST_CASE("progress, data and log rows belong to a job that exists", "[integration][queue][script]") {
    queue_fixture f;
    f.add("");
    f.clear_events();
    CHECK(f.script("update_progress", {"1", R"({"pct":50})"}) == "0");
    CHECK(f.field("1", "progress") == R"({"pct":50})");
    CHECK(f.events() == strings{R"(progress 1 data={"pct":50})"});
    CHECK(f.script("update_data", {"1", "[1]"}) == "0");
    CHECK(f.field("1", "data") == "[1]");
    CHECK(f.script("add_log", {"1", "a", "2"}) == "1");
    CHECK(f.script("add_log", {"1", "b", "2"}) == "2");
    CHECK(f.script("add_log", {"1", "c", "2"}) == "2");
    CHECK(f.list("1:logs") == strings{"b", "c"});
    CHECK(f.script("add_log", {"1", "d", "0"}) == "3");

    const auto before = f.keys();
    for (const char* script : {"update_progress", "update_data"})
        CHECK(f.script(script, {"9", "1"}) == "-1");
    CHECK(f.script("add_log", {"9", "row", "0"}) == "-1");
    CHECK(f.keys() == before);
}

TEST_CASE("a promoted job runs now, in the order of its priority", "[integration][queue][script]") {
    queue_fixture f;
    f.add("plain", "0", "60000");
    f.add("ranked", "4", "60000");
    f.add("now");
    f.redis({"DEL", f.key("marker")});
    f.clear_events();
    CHECK(f.script("promote", {"plain"}) == "0");
    CHECK(f.script("promote", {"ranked"}) == "0");
    CHECK(f.list("wait") == strings{"plain", "now"});
    CHECK(f.score("prioritized", "ranked") == "17179869185");
    CHECK(f.field("plain", "delay") == "0");
    CHECK_FALSE(f.exists("delayed"));
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.events() == strings{"waiting plain prev=delayed", "waiting ranked prev=delayed"});
    CHECK(f.script("promote", {"plain"}) == "-3");
    CHECK(f.script("promote", {"nobody"}) == "-1");
}

TEST_CASE("a finished job can be put back to waiting", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.add("b", "4");
    f.add("l", "0", "0", 1'000'000, "L", R"({"attempts":0,"lifo":true})");
    f.fetch("T", 3);
    f.script("finish_and_fetch",
             finish_words(2'000'000, {{"completed", "a", "T", "1", "", "", "", "", "0", ""},
                                      {"failed", "b", "T", "bad", "[\"s\"]", "", "", "", "0", ""},
                                      {"failed", "l", "T", "bad", "[]", "", "", "", "0", ""}}));
    f.add("other");
    f.redis({"DEL", f.key("marker")});
    f.clear_events();
    CHECK(f.script("retry", {"a", "completed"}) == "0");
    CHECK(f.script("retry", {"b", "failed"}) == "0");
    CHECK(f.script("retry", {"l", "failed"}) == "0");
    CHECK(f.list("wait") == strings{"a", "other", "l"});
    CHECK(f.sorted("prioritized") == strings{"b"});
    const auto hash = f.hash("b");
    CHECK(hash.count("failedReason") == 0);
    CHECK(hash.count("finishedOn") == 0);
    CHECK(hash.count("processedOn") == 0);
    CHECK(hash.at("stacktrace") == "[\"s\"]");
    CHECK(hash.at("atm") == "1");
    CHECK(f.hash("a").count("returnvalue") == 0);
    CHECK_FALSE(f.exists("completed"));
    CHECK_FALSE(f.exists("failed"));
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.events() ==
          strings{"waiting a prev=completed", "waiting b prev=failed", "waiting l prev=failed"});
    CHECK(f.script("retry", {"a", "completed"}) == "-3");
    CHECK(f.script("retry", {"nobody", "failed"}) == "-1");
}

TEST_CASE("a retried child is pending for its parent again", "[integration][queue][script]") {
    queue_fixture f;
    f.redis({"HSET", "bull:up:p", "name", "p"});
    f.add("c");
    f.redis({"HSET", f.key("c"), "parentKey", "bull:up:p"});
    const auto state = GENERATE(as<std::string>{}, "completed", "failed");
    f.redis({"LPOP", f.key("wait")});
    f.redis({"ZADD", f.key(state), "1", "c"});
    if (state == "completed")
        f.redis({"HSET", "bull:up:p:processed", "bull:q:c", "1"});
    else
        f.redis({"ZADD", "bull:up:p:unsuccessful", "1", "bull:q:c"});
    CHECK(f.script("retry", {"c", state}) == "0");
    CHECK(f.redis({"SMEMBERS", "bull:up:p:dependencies"}) == "bull:q:c");
    CHECK(f.redis({"EXISTS", "bull:up:p:processed", "bull:up:p:unsuccessful"}) == "0");
}

TEST_CASE("a job is removed from wherever it is", "[integration][queue][script]") {
    queue_fixture f;
    f.add("w");
    f.add("p", "4");
    f.add("d", "0", "60000");
    f.add("c");
    f.script("add_log", {"c", "row", "0"});
    f.redis({"LREM", f.key("wait"), "0", "c"});
    f.redis({"ZADD", f.key("completed"), "1", "c"});
    f.add("v5");
    f.redis({"LREM", f.key("wait"), "0", "v5"});
    f.redis({"LPUSH", f.key("paused"), "v5"});
    f.clear_events();
    for (const char* id : {"w", "p", "d", "c", "v5"})
        CHECK(f.script("remove", {id, "1"}) == "1");
    CHECK(f.keys() == std::set<std::string>{"events", "id", "marker", "meta", "pc"});
    CHECK(f.events() == strings{"removed w prev=wait", "removed p prev=prioritized", "removed d prev=delayed",
                                "removed c prev=completed", "removed v5 prev=paused"});
    CHECK(f.script("remove", {"w", "1"}) == "-1");
}

TEST_CASE("a running job is not removed, nor one with a running child", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.fetch("T", 1);
    f.add("p");
    f.redis({"SADD", f.key("p:dependencies"), f.key("a")});
    const auto before = f.keys();
    CHECK(f.script("remove", {"a", "1"}) == "0");
    CHECK(f.script("remove", {"p", "1"}) == "0");
    CHECK(f.keys() == before);
}

TEST_CASE("a removed parent takes its children along, children first", "[integration][queue][script]") {
    queue_fixture f;
    f.add("p");
    for (const char* id : {"c1", "c2", "c3"}) {
        f.add(id);
        f.redis({"HSET", f.key(id), "parentKey", f.key("p")});
    }
    f.redis({"SADD", f.key("p:dependencies"), f.key("c1")});
    f.redis({"HSET", f.key("p:processed"), f.key("c2"), "1"});
    f.redis({"ZADD", f.key("p:unsuccessful"), "1", f.key("c3")});
    f.redis({"LREM", f.key("wait"), "0", "p"});
    f.redis({"ZADD", f.key("waiting-children"), "1", "p"});
    f.clear_events();
    CHECK(f.script("remove", {"p", "1"}) == "1");
    CHECK(f.keys() == std::set<std::string>{"events", "id", "marker", "meta"});
    const auto events = f.events();
    CHECK(events.back().starts_with("removed p"));
    CHECK(std::count_if(events.begin(), events.end(),
                        [](const auto& e) { return e.starts_with("removed"); }) == 4);
}

TEST_CASE("a parent stops waiting for a child that is removed", "[integration][queue][script]") {
    queue_fixture f;
    f.redis({"HSET", "bull:up:p", "name", "p", "priority", "2"});
    f.redis({"ZADD", "bull:up:waiting-children", "1", "p"});
    f.add("c");
    f.redis({"HSET", f.key("c"), "parentKey", "bull:up:p"});
    f.redis({"SADD", "bull:up:p:dependencies", f.key("c")});
    CHECK(f.script("remove", {"c", "1"}) == "1");
    CHECK(f.redis({"ZSCORE", "bull:up:prioritized", "p"}) ==
          "8589934593"); // with its priority, unlike upstream
}

TEST_CASE("the pending job of a scheduler stays", "[integration][queue][script]") {
    queue_fixture f;
    f.redis({"ZADD", f.key("repeat"), "60000", "ev"});
    for (const char* id : {"repeat:ev:60000", "repeat:ev:30000"}) {
        f.redis({"HSET", f.key(id), "name", "tick", "rjk", "ev"});
        f.redis({"ZADD", f.key("delayed"), "1", id});
    }
    CHECK(f.script("remove", {"repeat:ev:60000", "1"}) == "-8");
    CHECK(f.exists("repeat:ev:60000"));
    CHECK(f.script("remove", {"repeat:ev:30000", "1"}) == "1");
    CHECK_FALSE(f.exists("repeat:ev:30000"));
    CHECK(f.events() == strings{"removed repeat:ev:30000 prev=delayed"});
}

} // namespace
} // namespace tiktrend::testing
