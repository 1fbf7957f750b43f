#include "group_steps.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace tiktrend::testing {
namespace {

std::string waiting_in_groups(const queue_fixture& f) {
    return f.redis({"GET", f.key("groups:waiting")});
}

TEST_CASE("a job of a group waits in its group alone, and other clients see nothing of it",
          "[integration][queue][group]") {
    queue_fixture f;
    CHECK(add_to(f, "a", "1") == "1");
    CHECK(f.keys() == std::set<std::string>{"1", "events", "group:a:wait", "groups", "groups:marker",
                                            "groups:turn", "groups:waiting", "id", "meta"});
    CHECK(f.field("1", "gid") == "a");
    CHECK(f.field("1", "gpr") == "0");
    CHECK(f.field("1", "priority") == "0");
    CHECK(f.events() == strings{"added 1 name=paint", "waiting 1"});
    CHECK(waiting_in_groups(f) == "1");
    CHECK(f.script("get_state", {"1"}) == "waiting");
}

TEST_CASE("jobs without a group come first, then one of each group in turn", "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* id : {"a1", "a2", "a3"})
        add_to(f, "a", id);
    add_to(f, "b", "b1");
    add_to(f, "c", "c1");
    add_to(f, "c", "c2");
    f.add("plain");
    f.add("urgent", "1");
    CHECK(f.fetch("F", 10) == strings{"plain", "urgent", "a1", "b1", "c1", "a2", "c2", "a3"});
    CHECK(waiting_in_groups(f) == "0");
    CHECK_FALSE(f.exists("groups"));
    CHECK(f.members("group:a:active") == std::set<std::string>{"a1", "a2", "a3"});
    CHECK(f.redis({"HGET", f.key("groups:active"), "c2"}) == "c");
}

TEST_CASE("the turn of the groups goes on from fetch to fetch", "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* group : {"a", "b", "c"})
        for (const auto* n : {"1", "2"})
            add_to(f, group, std::string{group} + n);
    strings order;
    for (int i = 0; i < 6; ++i)
        for (const auto& id : f.fetch("F" + std::to_string(i), 1))
            order.push_back(id);
    CHECK(order == strings{"a1", "b1", "c1", "a2", "b2", "c2"});
}

TEST_CASE("inside a group the priority decides, then the order of adding", "[integration][queue][group]") {
    queue_fixture f;
    add_to(f, "a", "late", 9);
    add_to(f, "a", "first", 0);
    add_to(f, "a", "second", 0);
    add_to(f, "a", "early", 3);
    CHECK(f.fetch("F", 4) == strings{"first", "second", "early", "late"});
}

TEST_CASE("a paused group gives nothing until it goes on", "[integration][queue][group]") {
    queue_fixture f;
    add_to(f, "a", "a1");
    CHECK(f.script("pause_group", {"1", "a", "1"}) == "1");
    CHECK(f.script("pause_group", {"1", "a", "1"}) == "0");
    CHECK(f.sorted("groups:paused") == strings{"a"});
    add_to(f, "a", "a2");
    CHECK_FALSE(f.exists("groups"));
    CHECK(f.fetch("F", 10).empty());
    f.redis({"DEL", f.key("groups:marker")});
    CHECK(f.script("pause_group", {"1", "a", "0"}) == "1");
    CHECK(f.script("pause_group", {"1", "a", "0"}) == "0");
    CHECK(f.score("groups:marker", "0") == "0");
    CHECK(f.fetch("G", 10) == strings{"a1", "a2"});
    CHECK(f.script("pause_group", {"1", "later", "1"}) == "1"); // without jobs
    add_to(f, "later", "l1");
    CHECK(f.fetch("H", 10).empty());
}

TEST_CASE("a full group refuses a job and nothing is written", "[integration][queue][group]") {
    queue_fixture f;
    CHECK(add_to(f, "a", "a1", 0, "0", R"(,"maxSize":1)") == "a1");
    f.clear_events();
    CHECK(add_to(f, "a", "a2", 0, "0", R"(,"maxSize":1)") == "-12");
    CHECK_FALSE(f.exists("a2"));
    CHECK(f.events().empty());
    f.fetch("F", 1);
    CHECK(add_to(f, "a", "a2", 0, "0", R"(,"maxSize":1)") == "a2"); // active ones do not count
}

TEST_CASE("a delayed job joins its group when it is due, or is promoted", "[integration][queue][group]") {
    queue_fixture f;
    add_to(f, "a", "a1", 0, "500");
    add_to(f, "a", "a2", 0, "90000");
    CHECK(f.sorted("delayed") == strings{"a1", "a2"});
    CHECK_FALSE(f.exists("groups"));
    CHECK(f.script("promote", {"a2"}) == "0");
    CHECK(f.sorted("group:a:wait") == strings{"a2"});
    CHECK(f.fetch("F", 10, 1'000'600) == strings{"a2", "a1"});
}

TEST_CASE("a job goes back to its group: released to the front, tried again behind the others",
          "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* id : {"a1", "a2", "a3"})
        add_to(f, "a", id);
    f.fetch("F", 2);
    f.script("finish_and_fetch",
             finish_words(1'000'000, {{"release", "a1", "F", "", "", "", "", "", "0", "L"},
                                      {"wait", "a2", "F", "why", "[]", "", "", "", "0", "L"}}));
    CHECK(f.sorted("group:a:wait") == strings{"a1", "a3", "a2"});
    CHECK(f.list("wait").empty());
    CHECK(waiting_in_groups(f) == "3");
    CHECK(f.members("group:a:active").empty());
    CHECK_FALSE(f.exists("groups:active"));
}

TEST_CASE("a stalled job returns to the front of its group", "[integration][queue][group]") {
    queue_fixture f;
    add_to(f, "a", "a1");
    add_to(f, "a", "a2");
    f.fetch("F", 1);
    f.redis({"DEL", f.key("a1:lock")});
    f.redis({"SADD", f.key("stalled"), "a1"});
    CHECK(f.script("stalled_check", {"1000000", "30000", "1"}) == "a1");
    CHECK(f.sorted("group:a:wait") == strings{"a1", "a2"});
    CHECK(f.list("wait").empty());
}

TEST_CASE("a queue with jobs in groups is not drained", "[integration][queue][group]") {
    queue_fixture f;
    add_to(f, "a", "a1");
    add_to(f, "a", "a2");
    f.fetch("F", 1);
    f.clear_events();
    finish(f, "a1", "F");
    auto events = f.events();
    CHECK(std::find(events.begin(), events.end(), "drained") == events.end());
    f.fetch("G", 1);
    f.clear_events();
    finish(f, "a2", "G");
    CHECK(f.events() == strings{"completed a2 returnvalue=1 prev=active", "drained"});
}

TEST_CASE("groups and their jobs can be read", "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* id : {"a1", "a2"})
        add_to(f, "a", id);
    add_to(f, "b", "b1");
    f.fetch("F", 1);
    f.script("pause_group", {"5", "b", "1"});
    f.script("set_group", {"a", "concurrency", "4", "max", "10", "duration", "1000"});
    CHECK(lines(f.script("read_groups", {"waiting", "0", "-1"})) ==
          strings{"1", "0", "0", "1", "2", "a", "1", "1"});
    CHECK(lines(f.script("read_groups", {"paused", "0", "-1"})) ==
          strings{"1", "0", "0", "1", "2", "b", "1", "0"});
    CHECK(lines(f.script("read_group", {"a"})) == strings{"waiting", "1", "1", "4", "10", "1000", "0"});
    CHECK(lines(f.script("read_group", {"nobody"})) ==
          strings{"idle", "0", "0", "(nil)", "(nil)", "(nil)", "0"});
}

TEST_CASE("removing, draining and obliterating reach jobs in groups", "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* id : {"a1", "a2", "a3"})
        add_to(f, "a", id);
    CHECK(f.script("remove", {"a2", "1"}) == "1");
    CHECK_FALSE(f.exists("a2"));
    CHECK(f.sorted("group:a:wait") == strings{"a1", "a3"});
    CHECK(f.script("remove_orphans", {"a1", "a3"}) == "0"); // they have a place
    CHECK(f.script("drain", {"1", "100", "0"}) == "2");
    CHECK(waiting_in_groups(f) == "0");
    CHECK_FALSE(f.exists("a1"));
    CHECK_FALSE(f.exists("groups"));

    add_to(f, "b", "b1");
    add_to(f, "b", "b2");
    f.script("set_group", {"b", "concurrency", "1"});
    f.fetch("F", 1);
    f.script("pause", {});
    while (f.script("obliterate", {"1", "1", "100", "1"}) != "0") {
    }
    CHECK(f.keys().empty());
}

TEST_CASE("a finished job that is tried again by hand goes to its group", "[integration][queue][group]") {
    queue_fixture f;
    add_to(f, "a", "a1");
    f.fetch("F", 1);
    finish(f, "a1", "F");
    CHECK(f.script("retry", {"a1", "completed"}) == "0");
    CHECK(f.sorted("group:a:wait") == strings{"a1"});
    CHECK(f.list("wait").empty());
}

TEST_CASE("the depth that scales workers counts jobs in groups", "[integration][queue][group]") {
    queue_fixture f;
    add_to(f, "a", "a1");
    add_to(f, "b", "b1");
    f.add("plain");
    CHECK(lines(f.script("depth", {}))[0] == "3");
}

TEST_CASE("a parent that leaves for its children frees a slot for a group", "[integration][queue][group]") {
    queue_fixture f;
    f.redis({"HSET", f.key("meta"), "concurrency", "1"});
    f.add("parent");
    f.fetch("F", 1);
    add_to(f, "a", "a1");
    f.redis({"SADD", f.key("parent:dependencies"), "bull:q:child"});
    f.redis({"DEL", f.key("groups:marker")});
    CHECK(f.script("move_to_waiting_children", {"1000000", "parent", "F", ""}) == "0");
    CHECK(f.score("groups:marker", "0") == "0");
}

} // namespace
} // namespace tiktrend::testing
