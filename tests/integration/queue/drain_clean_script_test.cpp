#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using keys = std::set<std::string>;

/// A scheduler whose pending job is in `place` (a list).
void add_pending(queue_fixture& f, const std::string& scheduler, const std::string& place) {
    const auto id = "repeat:" + scheduler + ":60000";
    f.redis({"ZADD", f.key("repeat"), "60000", scheduler});
    f.redis({"HSET", f.key("repeat:" + scheduler), "name", "tick", "ic", "1"});
    f.redis({"HSET", f.key(id), "name", "tick", "rjk", scheduler, "timestamp", "1"});
    f.redis({"LPUSH", f.key(place), id});
}

void move_to(queue_fixture& f, const std::string& id, const std::string& state, const std::string& score) {
    f.redis({"LREM", f.key("wait"), "0", id});
    f.redis({"ZADD", f.key(state), score, id});
}

TEST_CASE("drain removes what waits and nothing else", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"done", "run", "a", "b"})
        f.add(id);
    move_to(f, "done", "completed", "5");
    f.fetch("T", 1); // run
    f.add("p", "4");
    f.add("d", "0", "60000");
    f.add("v5");
    f.redis({"LREM", f.key("wait"), "0", "v5"});
    f.redis({"LPUSH", f.key("paused"), "v5"});
    f.script("add_log", {"a", "row", "0"});
    f.clear_events();
    CHECK(f.script("drain", {"1", "1000", "0"}) == "4");
    CHECK(f.keys() == keys{"active", "completed", "d", "delayed", "done", "events", "id", "marker", "meta",
                           "pc", "run", "run:lock"});
    CHECK(f.events().empty());
    CHECK(f.script("drain", {"1", "1000", "1"}) == "1");
    CHECK_FALSE(f.exists("d"));
    CHECK_FALSE(f.exists("delayed"));
    CHECK(f.script("drain", {"1", "1000", "1"}) == "0");
    CHECK(f.list("active") == strings{"run"});
}

TEST_CASE("drain leaves the pending jobs of schedulers in their order, also over several calls",
          "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"a", "b"})
        f.add(id);
    add_pending(f, "s1", "wait");
    f.add("c");
    add_pending(f, "s2", "wait");
    f.add("d");
    f.redis({"HSET", f.key("repeat:s3:9"), "name", "old", "rjk", "s3"}); // of no scheduler any more
    f.redis({"LPUSH", f.key("wait"), "repeat:s3:9"});
    int calls = 0, removed = 0, n = 0;
    do {
        n = std::stoi(f.script("drain", {"1", "2", "1"}));
        removed += n;
        ++calls;
    } while (n == 2);
    CHECK(removed == 5);
    CHECK(calls == 3);
    CHECK(f.list("wait") == strings{"repeat:s2:60000", "repeat:s1:60000"});
    CHECK(f.exists("repeat:s1:60000"));
    CHECK_FALSE(f.exists("repeat:s3:9"));
    CHECK(f.script("remove", {"repeat:s1:60000", "1"}) == "-8");
}

TEST_CASE("draining frees deduplication ids and parents", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.redis({"HSET", f.key("a"), "deid", "X", "parentKey", "bull:up:p"});
    f.redis({"SET", f.key("de:X"), "a"});
    f.redis({"HSET", f.key("dn:X"), "name", "n"});
    f.redis({"HSET", "bull:up:p", "name", "p", "priority", "2"});
    f.redis({"ZADD", "bull:up:waiting-children", "1", "p"});
    f.redis({"SADD", "bull:up:p:dependencies", f.key("a")});
    // A tree in this queue: the parents go with their last child.
    for (const char* id : {"child", "mid", "top"})
        f.redis({"HSET", f.key(id), "name", id});
    f.redis({"HSET", f.key("child"), "parentKey", f.key("mid")});
    f.redis({"HSET", f.key("mid"), "parentKey", f.key("top")});
    f.redis({"SADD", f.key("mid:dependencies"), f.key("child")});
    f.redis({"SADD", f.key("top:dependencies"), f.key("mid")});
    f.redis({"ZADD", f.key("waiting-children"), "1", "mid", "1", "top"});
    f.redis({"LPUSH", f.key("wait"), "child"});

    CHECK(f.script("drain", {"7", "1000", "0"}) == "2");
    CHECK(f.keys() == keys{"events", "id", "marker", "meta"});
    CHECK(f.redis({"ZRANGE", "bull:up:prioritized", "0", "-1"}) == "p"); // with its priority, unlike upstream
    CHECK(f.redis({"EXISTS", "bull:up:waiting-children"}) == "0");
}

/// now, place, newest old time, limit, position
strings clean(queue_fixture& f, const std::string& place, const std::string& newest,
              const std::string& limit = "1000", const std::string& position = "0") {
    return lines(f.script("clean", {"9000", place, newest, limit, position}));
}

TEST_CASE("clean removes finished jobs by their score, the oldest first", "[integration][queue][script]") {
    queue_fixture f;
    const auto state = GENERATE(as<std::string>{}, "completed", "failed");
    for (const char* id : {"a", "b", "c", "d"})
        f.add(id);
    move_to(f, "a", state, "900");
    move_to(f, "b", state, "1000");
    move_to(f, "c", state, "1001");
    move_to(f, "d", state, "10");
    f.redis({"HSET", f.key("a"), "deid", "X"});
    f.redis({"SET", f.key("de:X"), "a"});
    f.clear_events();
    CHECK(clean(f, state, "1000", "2") == strings{"0", "d", "a"}); // full: call again
    CHECK_FALSE(f.exists("de:X"));
    CHECK(clean(f, state, "1000", "2") == strings{"-1", "b"});
    CHECK(f.sorted(state) == strings{"c"});
    CHECK(f.exists("c"));
    CHECK_FALSE(f.exists("a"));
    CHECK(f.events() == strings{"cleaned count=2", "cleaned count=1"});
    CHECK(clean(f, state, "1000") == strings{"-1"});
}

TEST_CASE("clean compares the first time that a waiting job has, as a number",
          "[integration][queue][script]") {
    queue_fixture f;
    f.add("old", "0", "0", 999); // as text, "999" is newer than "1000"
    f.add("new", "0", "0", 2000);
    f.add("tried", "0", "0", 10);
    f.redis({"HSET", f.key("tried"), "processedOn", "5000"});
    add_pending(f, "s", "wait");
    f.redis({"LPUSH", f.key("wait"), "ghost"});
    f.clear_events();
    CHECK(clean(f, "wait", "1000") == strings{"-1", "old", "ghost"});
    CHECK(f.list("wait") == strings{"repeat:s:60000", "tried", "new"});
    CHECK(f.events() == strings{"cleaned count=2"});
    CHECK(clean(f, "paused", "1000") == strings{"-1"});
}

TEST_CASE("clean goes on where it stopped in a list and in a set", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"n1", "o1", "n2", "o2", "o3"})
        f.add(id, "0", "0", *id == 'n' ? 5000 : 10);
    CHECK(clean(f, "wait", "1000", "1") == strings{"1", "o1"});
    CHECK(clean(f, "wait", "1000", "1", "1") == strings{"2", "o2"});
    CHECK(clean(f, "wait", "1000", "1", "2") == strings{"-1", "o3"});
    CHECK(f.list("wait") == strings{"n2", "n1"});

    f.add("pn", "1", "0", 5000);
    f.add("po", "2", "0", 10);
    f.add("dn", "0", "60000", 5000);
    f.add("do", "0", "90000", 10);
    CHECK(clean(f, "prioritized", "1000") == strings{"-1", "po"});
    CHECK(clean(f, "delayed", "1000") == strings{"-1", "do"});
    CHECK(f.sorted("prioritized") == strings{"pn"});
    CHECK(f.sorted("delayed") == strings{"dn"});
}

TEST_CASE("clean spares active jobs that have a lock", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"a", "b"})
        f.add(id, "0", "0", 10);
    f.fetch("T", 2, 20);
    f.redis({"DEL", f.key("b:lock")});
    CHECK(clean(f, "active", "1000") == strings{"-1", "b"});
    CHECK(f.list("active") == strings{"a"});
}

TEST_CASE("obliterate refuses a queue that runs", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.fetch("T", 1);
    const auto before = f.keys();
    CHECK(f.script("obliterate", {"1", "1", "1000", "1"}) == "-1");
    f.script("pause", {});
    CHECK(f.script("obliterate", {"1", "0", "1000", "1"}) == "-2");
    for (const auto& key : before)
        if (key != "marker") CHECK(f.exists(key));
}

TEST_CASE("obliterate leaves no key, and other queues alone", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"run", "a", "done", "bad"})
        f.add(id);
    f.fetch("T", 1);
    move_to(f, "done", "completed", "1");
    move_to(f, "bad", "failed", "1");
    f.add("p", "4");
    f.add("d", "0", "60000");
    add_pending(f, "s", "paused");
    f.redis({"SET", f.key("limiter"), "1"});
    for (const char* suffix : {"metrics:completed", "metrics:failed"})
        f.redis({"HSET", f.key(suffix), "count", "1"});
    f.redis({"LPUSH", f.key("metrics:completed:data"), "1"});
    f.redis({"SET", f.key("stalled-check"), "1"});
    f.redis({"SADD", f.key("stalled"), "run"});
    f.redis({"HSET", f.key("up"), "name", "up"}); // waits for a child of another queue
    f.redis({"SADD", f.key("up:dependencies"), "bull:other:c"});
    f.redis({"ZADD", f.key("waiting-children"), "1", "up"});
    f.redis({"HSET", "bull:other:c", "name", "c", "parentKey", f.key("up")});
    f.redis({"LPUSH", "bull:other:wait", "c"});
    f.script("pause", {});
    int calls = 0;
    for (int n = 1; n > 0; ++calls)
        n = std::stoi(f.script("obliterate", {"1", "1", "3", "0"}));
    CHECK(calls == 4); // 8 jobs and a scheduler, three at a time, and once in vain
    CHECK(f.exists("meta"));
    CHECK(f.script("obliterate", {"1", "1", "3", "1"}) == "0");
    CHECK(f.keys().empty());
    CHECK(f.redis({"EXISTS", "bull:other:c", "bull:other:wait"}) == "2");
}

} // namespace
} // namespace tiktrend::testing
