#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

/// The reply of a fetch, as text: refused, jobs, ms limited, next delayed.
std::string fetch_reply(queue_fixture& f, int wanted, std::int64_t now, const std::string& max = "0",
                        const std::string& duration = "0", const std::string& worker = "w1") {
    return f.script("finish_and_fetch",
                    {std::to_string(now), "T", "30000", std::to_string(wanted), worker, max, duration, "0"});
}

TEST_CASE("a fetched job is active and locked, and its run has begun", "[integration][queue][script]") {
    queue_fixture f;
    f.add("");
    f.clear_events();
    f.redis({"DEL", f.key("marker")});
    CHECK(fetch_reply(f, 1, 2'000'000) == "\nname\npaint\ndata\n{\"color\":\"red\"}\nopts\n{\"attempts\":0}"
                                          "\ntimestamp\n1000000\ndelay\n0\npriority\n0\n1\n0\n0");
    CHECK(f.list("active") == strings{"1"});
    CHECK_FALSE(f.exists("wait"));
    CHECK(f.redis({"GET", f.key("1:lock")}) == "T");
    CHECK(std::stoi(f.redis({"PTTL", f.key("1:lock")})) > 29'000);
    CHECK(f.field("1", "processedOn") == "2000000");
    CHECK(f.field("1", "ats") == "1");
    CHECK(f.field("1", "pb") == "w1");
    CHECK(f.field("1", "atm") == "(nil)");
    CHECK(f.score("marker", "0") == "0"); // always, so that the next worker wakes
    CHECK(f.events() == strings{"active 1 prev=waiting"});
}

TEST_CASE("a worker without a name leaves none", "[integration][queue][script]") {
    queue_fixture f;
    f.add("");
    fetch_reply(f, 1, 2'000'000, "0", "0", "");
    CHECK(f.field("1", "pb") == "(nil)");
    CHECK(f.field("1", "ats") == "1");
}

TEST_CASE("jobs without a priority are taken first, then lower numbers, each in order",
          "[integration][queue][script]") {
    queue_fixture f;
    f.add("p9", "9");
    f.add("p1a", "1");
    f.add("w1");
    f.add("p1b", "1");
    f.add("w2");
    f.add("lifo", "0", "0", 1'000'000, "R");
    CHECK(f.fetch("T", 2) == strings{"lifo", "w1"});
    CHECK(f.fetch("T", 3) == strings{"w2", "p1a", "p1b"});
    CHECK(f.redis({"GET", f.key("pc")}) == "3");
    CHECK(f.fetch("T", 5) == strings{"p9"});
    CHECK_FALSE(f.exists("pc")); // restarts once nothing is prioritized
    CHECK(f.list("active") == strings{"p9", "p1b", "p1a", "w2", "w1", "lifo"});
}

TEST_CASE("due jobs are promoted before the fetch, with their priority", "[integration][queue][script]") {
    queue_fixture f;
    f.add("late", "0", "60000");
    f.add("b", "0", "20");
    f.add("a", "0", "10");
    f.add("p", "3", "10");
    f.clear_events();
    f.redis({"DEL", f.key("marker")});
    // 1000019: a and p are due (score up to (now + 1) * 4096 - 1), b is not
    CHECK(lines(fetch_reply(f, 1, 1'000'019)).back() == "0");
    CHECK(f.list("active") == strings{"a"});
    CHECK(f.sorted("prioritized") == strings{"p"});
    CHECK(f.sorted("delayed") == strings{"b", "late"});
    CHECK(f.field("a", "delay") == "0");
    CHECK(f.field("p", "delay") == "0");
    CHECK(f.field("b", "delay") == "20");
    CHECK(f.events() == strings{"waiting a prev=delayed", "waiting p prev=delayed", "active a prev=waiting"});
}

TEST_CASE("a fetch that finds too little says when the next job is due", "[integration][queue][script]") {
    queue_fixture f;
    f.add("late", "0", "60000");
    CHECK(fetch_reply(f, 2, 1'000'000) == "\n\n0\n1060000");
    CHECK_FALSE(f.exists("active"));
    f.add("now");
    CHECK(lines(fetch_reply(f, 2, 1'000'000)).back() == "1060000");
}

TEST_CASE("nothing is taken from a paused queue, but due jobs move on", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a", "0", "10");
    f.redis({"HSET", f.key("meta"), "paused", "1"});
    f.redis({"DEL", f.key("marker")});
    CHECK(fetch_reply(f, 5, 1'000'020) == "\n\n0\n0");
    CHECK(f.list("wait") == strings{"a"});
    CHECK_FALSE(f.exists("active"));
    CHECK_FALSE(f.exists("marker"));
}

TEST_CASE("the global concurrency bounds what is taken", "[integration][queue][script]") {
    queue_fixture f;
    for (int i = 0; i < 5; ++i)
        f.add("");
    f.redis({"HSET", f.key("meta"), "concurrency", "3"});
    CHECK(f.fetch("T", 10) == strings{"1", "2", "3"});
    CHECK(fetch_reply(f, 10, 1'000'000) == "\n\n0\n0");
}

TEST_CASE("a rate limit opens a window with its first job", "[integration][queue][script]") {
    queue_fixture f;
    for (int i = 0; i < 5; ++i)
        f.add("");

    SECTION("the worker's own") {
        const auto reply = lines(fetch_reply(f, 4, 1'000'000, "2", "5000"));
        CHECK(std::stoi(reply[reply.size() - 2]) > 4000); // the budget ran out in this call
        CHECK(f.list("active").size() == 2);
        CHECK(f.redis({"GET", f.key("limiter")}) == "2");
        CHECK(std::stoi(lines(fetch_reply(f, 4, 1'000'000, "2", "5000"))[2]) > 4000);
        CHECK(f.list("active").size() == 2);
        f.redis({"DEL", f.key("limiter")}); // the window ends
        fetch_reply(f, 4, 1'000'000, "2", "5000");
        CHECK(f.list("active").size() == 4);
    }
    SECTION("the queue's, which has precedence, in the worker's window") {
        f.redis({"HSET", f.key("meta"), "max", "1", "duration", "90000"});
        fetch_reply(f, 4, 1'000'000, "3", "5000");
        CHECK(f.list("active").size() == 1);
        CHECK(std::stoi(f.redis({"PTTL", f.key("limiter")})) <= 5000);
    }
    SECTION("the queue's alone") {
        f.redis({"HSET", f.key("meta"), "max", "1", "duration", "90000"});
        fetch_reply(f, 4, 1'000'000);
        CHECK(f.list("active").size() == 1);
        CHECK(std::stoi(f.redis({"PTTL", f.key("limiter")})) > 80'000);
    }
    SECTION("set by hand, for workers that know a maximum") {
        f.redis({"SET", f.key("limiter"), "9007199254740991", "PX", "7000"});
        CHECK(std::stoi(lines(fetch_reply(f, 4, 1'000'000, "2", "5000"))[2]) > 6000);
        CHECK_FALSE(f.exists("active"));
        fetch_reply(f, 1, 1'000'000);
        CHECK(f.list("active").size() == 1);
    }
    SECTION("a job with a deferred failure does not count") {
        f.redis({"HSET", f.key("1"), "defa", "child failed"});
        fetch_reply(f, 5, 1'000'000, "2", "5000");
        CHECK(f.list("active").size() == 3);
        CHECK(f.redis({"GET", f.key("limiter")}) == "2");
    }
}

TEST_CASE("an id without a job is dropped instead of being run", "[integration][queue][script]") {
    queue_fixture f;
    f.add("");
    f.redis({"RPUSH", f.key("wait"), "ghost", "0:legacy-marker"});
    CHECK(f.fetch("T", 5) == strings{"1"});
    CHECK_FALSE(f.exists("wait"));
    CHECK_FALSE(f.exists("ghost"));
    CHECK_FALSE(f.exists("ghost:lock"));
    CHECK(f.events().back() == "active 1 prev=waiting");

    f.redis({"ZADD", f.key("delayed"), "1", "ghost"});
    f.fetch("T", 1);
    CHECK_FALSE(f.exists("delayed"));
    CHECK_FALSE(f.exists("ghost"));
}

TEST_CASE("a fetch without a lock leaves none", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    CHECK(f.fetch("0", 1) == strings{"a"});
    CHECK_FALSE(f.exists("a:lock"));
    CHECK(f.list("active") == strings{"a"});
}

} // namespace
} // namespace tiktrend::testing
