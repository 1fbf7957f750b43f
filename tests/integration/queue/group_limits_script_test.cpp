#include "group_steps.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

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

} // namespace
} // namespace tiktrend::testing
