#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace tiktrend::testing {
namespace {

/// Adds one job to a group by the script.
std::string add_to(queue_fixture& f, const std::string& group, const std::string& id, int priority = 0,
                   const std::string& delay = "0", const std::string& more = "") {
    return f.add(id, "0", delay, 1'000'000,
                 R"({"group":{"id":")" + group + R"(","priority":)" + std::to_string(priority) + more + "}}");
}

/// Fetches as a worker that limits each group.
strings fetch_limited(queue_fixture& f, const std::string& token, int wanted, const std::string& limits,
                      std::int64_t now = 1'000'000) {
    const auto before = f.list("active").size();
    f.script("finish_and_fetch",
             {std::to_string(now), token, "30000", std::to_string(wanted), "w1", "0", "0", "0 " + limits});
    auto after = f.list("active");
    strings out;
    for (std::size_t i = after.size() - before; i-- > 0;)
        out.push_back(after[i]);
    return out;
}

void finish(queue_fixture& f, const std::string& id, const std::string& token) {
    f.script("finish_and_fetch",
             finish_words(1'000'000, {{"completed", id, token, "1", "[]", "", "", "", "0", "L"}}));
}

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

TEST_CASE("a group has no more active jobs than its concurrency, over all workers",
          "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* id : {"a1", "a2", "a3"})
        add_to(f, "a", id);
    add_to(f, "b", "b1");
    CHECK(fetch_limited(f, "F", 10, "1 0 0") == strings{"a1", "b1"});
    CHECK(f.sorted("groups:maxed") == strings{"a"});
    CHECK(fetch_limited(f, "G", 10, "1 0 0").empty());
    f.redis({"DEL", f.key("groups:marker")});
    finish(f, "a1", "F");
    CHECK(f.sorted("groups") == strings{"a"});
    CHECK(f.score("groups:marker", "0") == "0"); // somebody is woken for it
    CHECK(fetch_limited(f, "H", 10, "1 0 0") == strings{"a2"});
}

TEST_CASE("a group's own concurrency has precedence over the worker's", "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* id : {"a1", "a2", "a3"})
        add_to(f, "a", id);
    CHECK(f.script("set_group", {"a", "concurrency", "2"}) == "0");
    CHECK(fetch_limited(f, "F", 10, "1 0 0").size() == 2);
    CHECK(f.sorted("groups:maxed") == strings{"a"});
    f.script("set_group", {"a", "concurrency", ""});
    CHECK(f.sorted("groups") == strings{"a"}); // offered again; the next fetch decides
    CHECK(f.fetch("G", 10) == strings{"a3"});  // a worker that limits nothing
}

TEST_CASE("a group over its rate limit rests until its window ends", "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* id : {"a1", "a2", "a3"})
        add_to(f, "a", id);
    add_to(f, "b", "b1");
    CHECK(fetch_limited(f, "F", 10, "0 2 60000") == strings{"a1", "b1", "a2"});
    CHECK(f.sorted("groups:limited") == strings{"a"});
    const auto end = std::stoll(f.score("groups:limited", "a"));
    CHECK(end > 1'000'000 + 50'000);
    CHECK(end <= 1'000'000 + 60'000);
    CHECK(fetch_limited(f, "G", 10, "0 2 60000").empty());
    f.redis({"DEL", f.key("group:a:limiter")}); // its window ends
    CHECK(fetch_limited(f, "H", 10, "0 2 60000", end).size() == 1);
}

TEST_CASE("a fetch says when the next group's limit ends, unless a delayed job is due before",
          "[integration][queue][group]") {
    queue_fixture f;
    add_to(f, "a", "a1");
    CHECK(f.script("limit_group", {"1000000", "a", "5000"}) == "0");
    const strings fetch{"1000000", "F", "30000", "1", "w1", "0", "0", "0"};
    CHECK(lines(f.script("finish_and_fetch", fetch)).back() == "1005000");
    f.add("soon", "0", "1000");
    CHECK(lines(f.script("finish_and_fetch", fetch)).back() == "1001000");
}

TEST_CASE("a group can be limited by hand, also before it has jobs", "[integration][queue][group]") {
    queue_fixture f;
    f.script("limit_group", {"1000000", "a", "60000"});
    add_to(f, "a", "a1");
    CHECK(f.fetch("F", 1).empty()); // by a worker that knows no limits
    CHECK(f.sorted("groups:limited") == strings{"a"});
    CHECK(lines(f.script("read_group", {"a"}))[0] == "limited");
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

TEST_CASE("what another client ended without knowing of groups frees its slot",
          "[integration][queue][group]") {
    queue_fixture f;
    add_to(f, "a", "a1");
    add_to(f, "a", "a2");
    CHECK(fetch_limited(f, "F", 10, "1 0 0") == strings{"a1"});
    f.redis({"LREM", f.key("active"), "0", "a1"}); // Node's finish
    f.redis({"DEL", f.key("a1:lock")});
    f.script("set_group", {"a"}); // offered again, as by any job of it that ends here
    CHECK(fetch_limited(f, "G", 10, "1 0 0") == strings{"a2"});
    CHECK(f.members("group:a:active") == std::set<std::string>{"a2"});
}

TEST_CASE("a job that another client put into wait runs and counts in its group",
          "[integration][queue][group]") {
    queue_fixture f;
    add_to(f, "a", "a1");
    add_to(f, "a", "a2");
    f.fetch("F", 1);
    f.redis({"LREM", f.key("active"), "0", "a1"}); // Node's stalled check
    f.redis({"DEL", f.key("a1:lock")});
    f.redis({"RPUSH", f.key("wait"), "a1"});
    CHECK(fetch_limited(f, "G", 1, "1 0 0") == strings{"a1"});
    CHECK(fetch_limited(f, "H", 1, "1 0 0").empty());
}

TEST_CASE("global concurrency, pause and rate limit of the queue hold for groups too",
          "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* id : {"a1", "a2", "a3"})
        add_to(f, "a", id);
    f.redis({"HSET", f.key("meta"), "concurrency", "1"});
    CHECK(f.fetch("F", 10) == strings{"a1"});
    f.redis({"DEL", f.key("groups:marker")});
    finish(f, "a1", "F");
    CHECK(f.score("groups:marker", "0") == "0"); // a free slot wakes somebody
    f.redis({"HDEL", f.key("meta"), "concurrency"});
    f.redis({"HSET", f.key("meta"), "max", "1", "duration", "60000"});
    CHECK(f.fetch("G", 10) == strings{"a2"});
    CHECK(f.fetch("H", 10).empty());
    f.redis({"DEL", f.key("limiter")});
    f.script("pause", {});
    CHECK(f.fetch("I", 10).empty());
    f.redis({"DEL", f.key("groups:marker")});
    f.script("resume", {});
    CHECK(f.score("groups:marker", "0") == "0");
    CHECK(f.fetch("J", 10) == strings{"a3"});
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

TEST_CASE("a group whose last slot another client freed gives jobs again", "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* id : {"a1", "a2", "a3"})
        add_to(f, "a", id);
    CHECK(fetch_limited(f, "F", 10, "1 0 0") == strings{"a1"});
    CHECK(f.sorted("groups:maxed") == strings{"a"});
    f.redis({"LREM", f.key("active"), "0", "a1"}); // Node's finish, after its stalled check
    f.redis({"DEL", f.key("a1:lock")});
    SECTION("at the next fetch") {
        CHECK(fetch_limited(f, "G", 10, "1 0 0") == strings{"a2"});
    }
    SECTION("at the stalled check, which wakes a worker") {
        f.redis({"DEL", f.key("groups:marker")});
        f.script("stalled_check", {"1000000", "30000", "1"});
        CHECK(f.score("groups:marker", "0") == "0");
        CHECK(f.sorted("groups") == strings{"a"});
    }
}

TEST_CASE("groups with all slots in use are looked at in turn", "[integration][queue][group]") {
    queue_fixture f;
    for (const auto* id : {"1", "2"})
        for (const auto* group : {"a", "b"})
            add_to(f, group, group + std::string{id});
    CHECK(fetch_limited(f, "F", 10, "1 0 0") == strings{"a1", "b1"}); // and looked at a, when both were full
    f.redis({"LREM", f.key("active"), "0", "a1"});
    f.redis({"DEL", f.key("a1:lock")});
    CHECK(fetch_limited(f, "G", 10, "1 0 0").empty()); // looks at b
    CHECK(fetch_limited(f, "H", 10, "1 0 0") == strings{"a2"});
}

TEST_CASE("a counter of starts that nobody gave an end gets one", "[integration][queue][group]") {
    queue_fixture f;
    const auto fetch = [&](const char* token) {
        return f.script("finish_and_fetch",
                        {"1000000", token, "30000", "10", "w1", "2", "1000", "0 0 2 1000"});
    };
    SECTION("of the queue") {
        f.add("x");
        f.redis({"SET", f.key("limiter"), "6"}); // by a worker without a window
        CHECK(fetch("F") == "\n\n1000\n0");
        CHECK(std::stoi(f.redis({"PTTL", f.key("limiter")})) > 0);
        CHECK(f.list("wait") == strings{"x"});
    }
    SECTION("of a group") {
        add_to(f, "a", "a1");
        f.redis({"SET", f.key("group:a:limiter"), "6"});
        CHECK(lines(fetch("F")).back() == "1001000");
        CHECK(f.sorted("groups:limited") == strings{"a"});
    }
}

TEST_CASE("jobs of a group that cannot give one call for no worker", "[integration][queue][group]") {
    queue_fixture f;
    const auto depth = [&] {
        const auto reply = lines(f.script("depth", {}));
        return strings{reply[0], reply[1]};
    };
    for (const auto* id : {"a1", "a2", "a3"})
        add_to(f, "a", id);
    f.add("plain");
    CHECK(depth() == strings{"4", "4"});
    f.redis({"LREM", f.key("wait"), "0", "plain"});
    CHECK(std::stoll(lines(f.script("depth", {}))[3]) > 0); // the age of the group's first
    SECTION("paused") {
        f.script("pause_group", {"1", "a", "1"});
        CHECK(depth() == strings{"3", "0"});
    }
    SECTION("limited, until that ends") {
        f.script("limit_group", {"1000000", "a", "5000"}); // ended long ago by the server's clock
        CHECK(depth() == strings{"3", "3"});
        f.redis({"ZADD", f.key("groups:limited"), "99999999999999", "a"});
        CHECK(depth() == strings{"3", "0"});
    }
    SECTION("all slots in use") {
        CHECK(fetch_limited(f, "F", 10, "1 0 0") == strings{"a1"});
        CHECK(depth() == strings{"2", "1"});
    }
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
