#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

TEST_CASE("a delayed job moves to another time", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a", "0", "60000");
    f.add("b", "0", "70000");
    f.add("now");
    f.redis({"DEL", f.key("marker")});
    f.clear_events();
    CHECK(f.script("change_delay", {"b", "1000000", "5000"}) == "0");
    CHECK(f.score("delayed", "b") == std::to_string(1'005'000LL * 4096));
    CHECK(f.field("b", "delay") == "5000");
    CHECK(f.score("marker", "1") == "1005000");
    CHECK(f.events() == strings{"delayed b delay=1005000"});
    CHECK(f.script("change_delay", {"a", "1000000", "5000"}) == "0"); // the same time: behind
    CHECK(f.score("delayed", "a") == std::to_string(1'005'000LL * 4096 + 1));
    const auto before = f.hash("now");
    CHECK(f.script("change_delay", {"now", "1", "5000"}) == "-3");
    CHECK(f.hash("now") == before);
    CHECK(f.script("change_delay", {"nobody", "1", "5000"}) == "-1");
    CHECK_FALSE(f.exists("nobody"));
}

TEST_CASE("a waiting job moves to the place of its new priority", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"a", "b", "c"})
        f.add(id);
    f.add("p", "4");
    f.add("later", "0", "60000");
    f.redis({"DEL", f.key("marker")});
    f.clear_events();
    CHECK(f.script("change_priority", {"b", "4", "0"}) == "0");
    CHECK(f.list("wait") == strings{"c", "a"});
    CHECK(f.sorted("prioritized") == strings{"p", "b"});
    CHECK(f.score("marker", "0") == "0");
    f.redis({"DEL", f.key("marker")});
    CHECK(f.script("change_priority", {"c", "4", "1"}) == "0"); // before the others of priority 4
    CHECK(f.score("prioritized", "c") == "17179869184");
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.field("c", "priority") == "4");
    CHECK(f.script("change_priority", {"p", "0", "0"}) == "0");
    CHECK(f.script("change_priority", {"b", "0", "1"}) == "0");
    CHECK(f.list("wait") == strings{"p", "a", "b"});
    CHECK(f.script("change_priority", {"later", "7", "0"}) == "0");
    CHECK(f.field("later", "priority") == "7");
    CHECK(f.sorted("delayed") == strings{"later"});
    CHECK(f.field("b", "opts") == R"({"attempts":0})");
    CHECK(f.events().empty());
    CHECK(f.script("change_priority", {"nobody", "1", "0"}) == "-1");
    CHECK_FALSE(f.exists("nobody"));
}

TEST_CASE("whether a job has finished, and with what", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"a", "b", "c"})
        f.add(id);
    f.fetch("T", 2);
    f.script("finish_and_fetch",
             finish_words(2'000'000, {{"completed", "a", "T", "[1]", "", "", "", "", "0", ""},
                                      {"failed", "b", "T", "bad", "[]", "", "", "", "0", ""}}));
    CHECK(f.script("is_finished", {"a"}) == "1\n[1]");
    CHECK(f.script("is_finished", {"b"}) == "2\nbad");
    CHECK(f.script("is_finished", {"c"}) == "0\n");
    CHECK(f.script("is_finished", {"nobody"}) == "-1\n");
}

struct family : queue_fixture {
    family() {
        redis({"HSET", "bull:up:p", "name", "p"});
        redis({"ZADD", "bull:up:waiting-children", "1", "p"});
        add_child("c1");
        add_child("c2");
        clear_events();
    }
    void add_child(const std::string& id, const std::string& parent = "bull:up:p") {
        add(id);
        redis({"HSET", key(id), "parentKey", parent, "parent", R"({"id":"p","queueKey":"bull:up"})"});
        redis({"SADD", parent + ":dependencies", key(id)});
    }
};

TEST_CASE("a child is cut from its parent", "[integration][queue][script]") {
    family f;
    const auto cut = [&](const char* id) { return f.script("remove_child_dependency", {id, "5"}); };
    CHECK(cut("nobody") == "-1");
    f.add("alone");
    CHECK(cut("alone") == "1");
    CHECK(cut("c1") == "0");
    CHECK(f.hash("c1").count("parentKey") + f.hash("c1").count("parent") == 0);
    CHECK(f.redis({"ZSCORE", "bull:up:waiting-children", "p"}) == "1");
    CHECK(cut("c1") == "1");
    CHECK(cut("c2") == "0");
    CHECK(f.redis({"LRANGE", "bull:up:wait", "0", "-1"}) == "p"); // waited for nothing else
    CHECK(f.list("wait") == strings{"alone", "c2", "c1"});

    f.add_child("c3");
    f.redis({"SREM", "bull:up:p:dependencies", f.key("c3")});
    CHECK(cut("c3") == "1");
    CHECK(f.field("c3", "parentKey") == "bull:up:p");
    f.redis({"DEL", "bull:up:p"});
    CHECK(cut("c3") == "-5");
}

TEST_CASE("children that have not started are removed with theirs, the others stay",
          "[integration][queue][script]") {
    queue_fixture f;
    f.add("p");
    f.redis({"LREM", f.key("wait"), "0", "p"});
    f.redis({"ZADD", f.key("waiting-children"), "1", "p"});
    const auto add_child = [&](const std::string& id, const std::string& parent) {
        f.add(id);
        f.redis({"HSET", f.key(id), "parentKey", f.key(parent)});
        f.redis({"SADD", f.key(parent + ":dependencies"), f.key(id)});
    };
    for (const char* id : {"c", "bad", "run"})
        add_child(id, "p");
    add_child("grandchild", "c");
    f.redis({"LREM", f.key("wait"), "0", "bad"});
    f.redis({"ZADD", f.key("failed"), "1", "bad"});
    f.redis({"SET", f.key("run:lock"), "T"});
    f.clear_events();
    CHECK(f.script("remove_unprocessed_children", {"p", "5"}) == "2");
    CHECK_FALSE(f.exists("c"));
    CHECK_FALSE(f.exists("grandchild"));
    CHECK(f.members("p:dependencies") == std::set<std::string>{f.key("bad"), f.key("run")});
    CHECK(f.sorted("waiting-children") == strings{"p"});
    CHECK(f.events() == strings{"removed grandchild prev=wait", "removed c prev=wait"});
    f.redis({"DEL", f.key("run:lock")});
    f.redis({"ZREM", f.key("failed"), "bad"});
    CHECK(f.script("remove_unprocessed_children", {"p", "5"}) == "2");
    CHECK(f.list("wait") == strings{"p"}); // waits for nothing any more
    CHECK(f.script("remove_unprocessed_children", {"p", "5"}) == "0");
    CHECK(f.script("remove_unprocessed_children", {"nobody", "5"}) == "-1");
}

TEST_CASE("a job may be removed without its children", "[integration][queue][script]") {
    queue_fixture f;
    f.add("p");
    f.add("c");
    f.redis({"HSET", f.key("c"), "parentKey", f.key("p")});
    f.redis({"SADD", f.key("p:dependencies"), f.key("c")});
    f.redis({"SET", f.key("c:lock"), "T"});
    CHECK(f.script("remove", {"p", "1", "1"}) == "0");
    CHECK(f.script("remove", {"p", "1", "0"}) == "1"); // the child's lock does not matter then
    CHECK_FALSE(f.exists("p"));
    CHECK_FALSE(f.exists("p:dependencies"));
    CHECK(f.list("wait") == strings{"c"});
}

} // namespace
} // namespace tiktrend::testing
