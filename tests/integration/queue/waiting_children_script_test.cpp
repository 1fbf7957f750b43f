#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

/// One active job `p` whose lock is "F".
queue_fixture with_active_parent() {
    queue_fixture f;
    f.add("p");
    f.fetch("F", 1);
    f.clear_events();
    return f;
}

std::string move(const queue_fixture& f, const std::string& id, const std::string& token = "F",
                 const std::string& child = "") {
    return f.script("move_to_waiting_children", {"5000", id, token, child});
}

TEST_CASE("an active job with pending children goes to waiting-children", "[integration][queue][script]") {
    auto f = with_active_parent();
    f.redis({"SADD", f.key("p:dependencies"), "bull:q:c"});
    f.redis({"SADD", f.key("stalled"), "p"});
    CHECK(move(f, "p") == "0");
    CHECK(f.list("active").empty());
    CHECK(f.score("waiting-children", "p") == "5000");
    CHECK_FALSE(f.exists("p:lock"));
    CHECK(f.members("stalled").empty());
    CHECK(f.field("p", "atm") == "(nil)");
    CHECK(f.events() == strings{"waiting-children p prev=active"});
}

TEST_CASE("a job waits for one child only if that one is pending", "[integration][queue][script]") {
    auto f = with_active_parent();
    f.redis({"SADD", f.key("p:dependencies"), "bull:q:c"});
    CHECK(move(f, "p", "F", "bull:q:other") == "1");
    CHECK(f.list("active") == strings{"p"});
    CHECK(f.exists("p:lock"));
    CHECK(move(f, "p", "F", "bull:q:c") == "0");
}

TEST_CASE("what may not wait for children stays exactly as it was", "[integration][queue][script]") {
    auto f = with_active_parent();
    CHECK(move(f, "p") == "1"); // no children
    CHECK(move(f, "absent") == "-1");
    f.redis({"SADD", f.key("p:dependencies"), "bull:q:c"});
    CHECK(move(f, "p", "other") == "-6");
    f.redis({"ZADD", f.key("p:unsuccessful"), "1", "bull:q:d"});
    CHECK(move(f, "p") == "-9");
    f.redis({"DEL", f.key("p:unsuccessful")});
    f.redis({"DEL", f.key("p:lock")});
    CHECK(move(f, "p") == "-2");
    f.redis({"LREM", f.key("active"), "0", "p"});
    f.redis({"SET", f.key("p:lock"), "F"});
    CHECK(move(f, "p") == "-3");
    CHECK(f.exists("p:lock"));
    CHECK(f.sorted("waiting-children").empty());
    CHECK(f.events().empty());
}

TEST_CASE("token 0 asks for no lock", "[integration][queue][script]") {
    auto f = with_active_parent();
    f.redis({"SADD", f.key("p:dependencies"), "bull:q:c"});
    CHECK(move(f, "p", "0") == "0");
}

TEST_CASE("a slot of the global concurrency that a parent leaves wakes a worker",
          "[integration][queue][script]") {
    queue_fixture f;
    f.redis({"HSET", f.key("meta"), "concurrency", "1"});
    f.add("p");
    f.add("next");
    f.fetch("F", 1);
    f.redis({"SADD", f.key("p:dependencies"), "bull:q:c"});
    f.redis({"DEL", f.key("marker")});
    CHECK(move(f, "p") == "0");
    CHECK(f.score("marker", "0") == "0");
}

} // namespace
} // namespace tiktrend::testing
