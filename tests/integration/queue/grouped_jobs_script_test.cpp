// Operations of the administration on jobs that belong to a group (lua/includes/groups.lua).
#include "queue_fixture.hpp"

#include <tiktrend/queue/queue_admin.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

/// Jobs a1, a2 of group a and b1 of group b wait in their groups.
struct grouped_jobs : queue_fixture {
    grouped_jobs() {
        for (const char* id : {"a1", "a2", "b1"})
            add_member(id);
        clear_events();
    }
    void add_member(const std::string& id) {
        const auto group = id.substr(0, 1);
        redis({"HSET", key(id), "name", "n", "timestamp", "1", "delay", "0", "priority", "0", "gid", group,
               "gpr", "0"});
        redis({"ZADD", key("group:" + group + ":wait"), redis({"INCR", key("groups:turn")}), id});
        redis({"INCR", key("groups:waiting")});
        redis({"ZADD", key("groups"), "NX", redis({"INCR", key("groups:turn")}), group});
    }
    /// Out of its group, into `state`.
    void move_to(const std::string& id, const std::string& state) {
        redis({"ZREM", key("group:" + id.substr(0, 1) + ":wait"), id});
        redis({"DECR", key("groups:waiting")});
        redis({"ZADD", key(state), "1", id});
    }
    std::string waiting() const { return redis({"GET", key("groups:waiting")}); }
};

TEST_CASE("a member of a group waits, and is no orphan", "[integration][queue][script]") {
    grouped_jobs f;
    CHECK(f.script("get_state", {"a1"}) == "waiting");
    CHECK(lines(f.script("depth", {}))[0] == "3");
    CHECK(f.script("remove_orphans", {"a1", "a2", "b1"}) == "0");
    CHECK(f.script("remove", {"a1", "1"}) == "1");
    CHECK(f.waiting() == "2");
    CHECK(f.script("remove", {"a2", "1"}) == "1");
    CHECK(f.sorted("groups") == strings{"b"}); // the last one of a is gone
    CHECK(f.events() == strings{"removed a1 prev=wait", "removed a2 prev=wait"});
}

TEST_CASE("a retried or promoted member goes back to its group", "[integration][queue][script]") {
    grouped_jobs f;
    f.move_to("a1", "failed");
    f.move_to("b1", "delayed");
    f.redis({"DEL", f.key("groups:marker")});
    CHECK(f.script("retry", {"a1", "failed"}) == "0");
    CHECK(f.sorted("group:a:wait") == strings{"a2", "a1"});
    CHECK(f.score("groups:marker", "0") == "0");
    CHECK(f.script("promote", {"b1"}) == "0");
    CHECK(f.sorted("group:b:wait") == strings{"b1"});
    f.move_to("a2", "completed");
    f.move_to("b1", "delayed");
    CHECK(f.script("retry_many", {"completed", "10", "5"}) == "1");
    CHECK(f.script("promote_many", {"10"}) == "1");
    CHECK(f.waiting() == "3");
    CHECK_FALSE(f.exists("wait"));
    CHECK_FALSE(f.exists("prioritized"));
    CHECK(f.script("change_priority", {"a1", "9", "0"}) == "0");
    CHECK(f.field("a1", "gpr") == "9");
    CHECK(f.sorted("group:a:wait") == strings{"a2", "a1"});
    CHECK(f.waiting() == "3");
}

TEST_CASE("members of groups are counted and listed after the jobs without a group",
          "[integration][queue][script]") {
    grouped_jobs f;
    f.add("w");
    CHECK(lines(f.script("counts", {}))[0] == "4");
    CHECK(lines(f.script("list_ids", {"0", "-1", "1"})) == strings{"w", "a1", "a2", "b1"});
    CHECK(lines(f.script("list_ids", {"0", "-1", "0"})) == strings{"b1", "a2", "a1", "w"});
    CHECK(lines(f.script("list_ids", {"2", "3", "1"})) == strings{"a2", "b1"});
    CHECK(lines(f.script("list_ids", {"-1", "-1", "0"})) == strings{"w"});
    f.redis({"LPUSH", f.key("paused"), "p"}); // runs first after a resume
    CHECK(lines(f.script("list_ids", {"0", "2", "1"})) == strings{"p", "w", "a1"});
}

TEST_CASE("clean reaches into groups", "[integration][queue][script]") {
    grouped_jobs f;
    f.redis({"HSET", f.key("a2"), "timestamp", "50"});
    CHECK(lines(f.script("clean", {"100", "groups", "10", "1", "0"})) ==
          strings{"0", "a1"}); // goes on where a1 was
    CHECK(lines(f.script("clean", {"100", "groups", "10", "9", "0"})) ==
          strings{"-1", "b1"}); // a2 is too young
    CHECK(f.waiting() == "1");
    CHECK(f.sorted("groups") == strings{"a"});
    CHECK_FALSE(f.exists("b1"));
    CHECK(f.events() == strings{"cleaned count=1", "cleaned count=1"});
    f.add("w");
    f.with_queue([](queue::queue& q) -> task<void> {
        const auto gone =
            co_await queue::queue_admin{q}.clean(std::chrono::milliseconds{0}, 0, queue::job_state::waiting);
        CHECK(gone == strings{"w", "a2"});
    });
    CHECK(f.waiting() == "0");
    CHECK_FALSE(f.exists("groups"));
}

TEST_CASE("drain and obliterate reach into groups", "[integration][queue][script]") {
    grouped_jobs f;
    f.add("w");
    CHECK(f.script("drain", {"1", "2", "0"}) == "2");
    CHECK(f.script("drain", {"1", "2", "0"}) == "2");
    CHECK(f.script("drain", {"1", "2", "0"}) == "0");
    CHECK(f.waiting() == "0");
    CHECK_FALSE(f.exists("groups"));
    f.add_member("a1");
    f.add_member("b1");
    f.redis({"HSET", f.key("groups:concurrency"), "a", "1"});
    f.with_queue([](queue::queue& q) -> task<void> { co_await queue::queue_admin{q}.obliterate(); });
    CHECK(f.keys().empty());
}

} // namespace
} // namespace tiktrend::testing
