#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

TEST_CASE("a raised or removed global concurrency wakes a worker", "[integration][queue][script]") {
    queue_fixture f;
    CHECK(f.script("set_concurrency", {"1"}) == "0");
    CHECK(f.field("meta", "concurrency") == "1");
    CHECK_FALSE(f.exists("marker")); // nothing waits
    CHECK(f.script("is_maxed", {}) == "0");
    f.add("a");
    f.add("b");
    f.fetch("T", 1);
    f.redis({"DEL", f.key("marker")});
    CHECK(f.script("is_maxed", {}) == "1");
    CHECK(f.script("set_concurrency", {"1"}) == "0");
    CHECK_FALSE(f.exists("marker")); // still full
    CHECK(f.script("set_concurrency", {"2"}) == "0");
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.script("is_maxed", {}) == "0");
    f.redis({"DEL", f.key("marker")});
    f.script("set_concurrency", {"1"});
    CHECK(f.script("set_concurrency", {""}) == "0");
    CHECK(f.hash("meta").count("concurrency") == 0);
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.script("is_maxed", {}) == "0");

    f.redis({"DEL", f.key("marker")});
    f.redis({"HSET", f.key("meta"), "paused", "1"});
    f.script("set_concurrency", {"9"});
    CHECK_FALSE(f.exists("marker"));
}

TEST_CASE("the time to live of a rate limit depends on the limit to judge by",
          "[integration][queue][script]") {
    queue_fixture f;
    const auto ttl = [&](const char* max) { return std::stoll(f.script("rate_limit_ttl", {max})); };
    CHECK(ttl("0") == -2);
    CHECK(ttl("5") == 0);
    f.redis({"SET", f.key("limiter"), "3"});
    CHECK(ttl("0") == -1);
    CHECK(ttl("3") == 0); // never expires: limits nothing
    f.redis({"PEXPIRE", f.key("limiter"), "60000"});
    CHECK(ttl("0") > 50'000);
    CHECK(ttl("3") > 50'000);
    CHECK(ttl("4") == 0);
    f.redis({"HSET", f.key("meta"), "max", "4"});
    CHECK(ttl("0") == 0); // the queue's own
    f.redis({"HSET", f.key("meta"), "max", "2"});
    CHECK(ttl("0") > 50'000);
    CHECK(f.keys() == std::set<std::string>{"limiter", "meta"});
}

} // namespace
} // namespace tiktrend::testing
