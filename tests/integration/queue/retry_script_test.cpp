#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

ended_job again(std::string id, std::string side = "L") {
    return {"wait", std::move(id), "T", "first", R"(["first"])", "", "", "", "0", std::move(side)};
}
ended_job later(std::string id, std::string ms, bool spends_attempt = true) {
    return {"delayed",
            std::move(id),
            "T",
            spends_attempt ? "first" : "",
            spends_attempt ? R"(["first"])" : "",
            "",
            "",
            "",
            std::move(ms),
            spends_attempt ? "" : "1"};
}
ended_job given_back(std::string id) {
    return {"release", std::move(id), "T", "", "", "", "", "", "0", "L"};
}

TEST_CASE("a job that is tried again now goes behind the others", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.add("b");
    f.fetch("T", 1);
    f.redis({"DEL", f.key("marker")});
    f.clear_events();
    CHECK(f.script("finish_and_fetch", finish_words(2'000'000, {again("a")})) == "\n\n0\n0");
    CHECK(f.list("wait") == strings{"a", "b"});
    CHECK(f.field("a", "failedReason") == "first");
    CHECK(f.field("a", "stacktrace") == R"(["first"])");
    CHECK(f.field("a", "atm") == "1");
    CHECK(f.field("a", "processedOn") == "1000000");
    CHECK(f.field("a", "finishedOn") == "(nil)");
    CHECK_FALSE(f.exists("a:lock"));
    CHECK_FALSE(f.exists("active"));
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.events() == strings{"waiting a prev=active"});
}

TEST_CASE("lifo and priority decide where a retried job waits", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.add("b");
    f.add("p", "4");
    f.fetch("T", 3);
    f.add("c");
    f.add("q", "4");
    f.script("finish_and_fetch", finish_words(2'000'000, {again("a", "R"), again("b", "L"), again("p")}));
    CHECK(f.list("wait") == strings{"b", "c", "a"});
    CHECK(f.sorted("prioritized") == strings{"q", "p"});
}

TEST_CASE("due jobs are promoted before a retry is put back", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.fetch("T", 1);
    f.add("due", "0", "10");
    f.clear_events();
    f.script("finish_and_fetch", finish_words(2'000'000, {again("a")}));
    CHECK(f.list("wait") == strings{"a", "due"});
    CHECK(f.events() == strings{"waiting due prev=delayed", "waiting a prev=active"});
}

TEST_CASE("a retried job may be taken again by the same call, with a lock of that call",
          "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.fetch("T", 1);
    f.script("finish_and_fetch", finish_words(2'000'000, {again("a")}, 1, "U"));
    CHECK(f.list("active") == strings{"a"});
    CHECK(f.redis({"GET", f.key("a:lock")}) == "U");
    CHECK(f.field("a", "ats") == "2");
    CHECK(f.field("a", "atm") == "1");
}

TEST_CASE("a job with a pause before its next attempt is delayed", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.fetch("T", 1);
    f.clear_events();
    f.script("finish_and_fetch", finish_words(2'000'000, {later("a", "5000")}));
    CHECK(f.score("delayed", "a") == "8212480000"); // 2005000 * 4096
    CHECK(f.field("a", "delay") == "5000");
    CHECK(f.field("a", "atm") == "1");
    CHECK(f.field("a", "failedReason") == "first");
    CHECK(f.score("marker", "1") == "2005000");
    CHECK_FALSE(f.exists("a:lock"));
    CHECK(f.events() == strings{"delayed a delay=2005000"});
}

TEST_CASE("a job that delays itself spends no attempt", "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.fetch("T", 1);
    f.script("finish_and_fetch", finish_words(2'000'000, {later("a", "5000", false)}));
    CHECK(f.sorted("delayed") == strings{"a"});
    CHECK(f.field("a", "atm") == "(nil)");
    CHECK(f.field("a", "failedReason") == "(nil)");
    CHECK(f.field("a", "stacktrace") == "(nil)");
}

TEST_CASE("a job that is given back is next in its place, and nothing is counted",
          "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    f.add("b");
    f.add("p", "4");
    f.add("q", "4");
    CHECK(f.fetch("T", 3) == strings{"a", "b", "p"});
    f.redis({"DEL", f.key("marker")});
    f.clear_events();
    f.add("c");
    f.clear_events();
    f.script("finish_and_fetch", finish_words(2'000'000, {given_back("a"), given_back("p")}));
    CHECK(f.list("wait") == strings{"c", "a"});
    CHECK(f.sorted("prioritized") == strings{"p", "q"});
    CHECK(f.score("prioritized", "p") == "17179869184"); // 4 * 2^32: the front of its priority
    CHECK(f.field("a", "atm") == "(nil)");
    CHECK(f.field("a", "stc") == "(nil)");
    CHECK(f.list("active") == strings{"b"});
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.events() == strings{"waiting a prev=active", "waiting p prev=active"});
}

TEST_CASE("a retry is refused like an end", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"missing", "stolen", "expired", "moved"})
        f.add(id);
    f.fetch("T", 4);
    f.redis({"DEL", f.key("missing")});
    f.redis({"SET", f.key("stolen:lock"), "other"});
    f.redis({"DEL", f.key("expired:lock")});
    f.redis({"LREM", f.key("active"), "0", "moved"});
    const auto kind = GENERATE(as<std::string>{}, "wait", "delayed", "release");
    const auto ended = [&](const char* id) {
        return ended_job{kind, id, "T", "r", "[]", "", "", "", "5", ""};
    };
    CHECK(f.script("finish_and_fetch", finish_words(2'000'000, {ended("missing"), ended("stolen"),
                                                                ended("expired"), ended("moved")})) ==
          "1\n-1\n2\n-6\n3\n-2\n4\n-3\n\n0\n0");
    CHECK(f.field("stolen", "failedReason") == "(nil)");
    CHECK(f.field("moved", "failedReason") == "(nil)");
    CHECK_FALSE(f.exists("missing"));
    CHECK_FALSE(f.exists("wait"));
    CHECK_FALSE(f.exists("delayed"));
}

} // namespace
} // namespace tiktrend::testing
