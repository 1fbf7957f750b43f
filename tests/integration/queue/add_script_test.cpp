#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using names = std::set<std::string>;

TEST_CASE("a standard job gets its hash, its place, the marker and two events",
          "[integration][queue][script]") {
    queue_fixture f;
    CHECK(f.add("") == "1");
    CHECK(f.keys() == names{"1", "events", "id", "marker", "meta", "wait"});
    CHECK(f.hash("1") == dump{{"name", "paint"},
                              {"data", R"({"color":"red"})"},
                              {"opts", R"({"attempts":0})"},
                              {"timestamp", "1000000"},
                              {"delay", "0"},
                              {"priority", "0"}});
    CHECK(f.list("wait") == strings{"1"});
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.hash("meta") == dump{{"opts.maxLenEvents", "10000"}});
    CHECK(f.events() == strings{"added 1 name=paint", "waiting 1"});
    CHECK(f.redis({"XRANGE", f.key("events"), "-", "+", "COUNT", "1"}).find("event\nadded") !=
          std::string::npos);
}

TEST_CASE("a job may share its words with an earlier one of its call", "[integration][queue][script]") {
    queue_fixture f;
    const strings words{"",        "a", "1", R"({"attempts":2})",
                        "1000000", "0", "7", "L", //
                        ":1",      "2",           //
                        "x",       "b", "3", "{}",
                        "1000001", "0", "0", "L", //
                        ":2",      "4",           // like x, but for the id
                        ":1",      "5",           //
                        ":9",      "c", "6", "{}",
                        "1000002", "0", "0", "L"}; // no job before it is the ninth: an id
    CHECK(lines(f.script("add", words)) == strings{"1", "2", "x", "4", "5", ":9"});
    CHECK(f.sorted("prioritized") == strings{"1", "2", "5"});
    CHECK(f.list("wait") == strings{":9", "4", "x"});
    for (const char* id : {"2", "5"}) {
        CHECK(f.field(id, "name") == "a");
        CHECK(f.field(id, "opts") == R"({"attempts":2})");
        CHECK(f.field(id, "timestamp") == "1000000");
        CHECK(f.field(id, "priority") == "7");
    }
    CHECK(f.field("2", "data") == "2");
    CHECK(f.field("5", "data") == "5");
    CHECK(f.field("4", "name") == "b");
    CHECK(f.field("4", "data") == "4");
    CHECK(f.field("4", "timestamp") == "1000001");
}

TEST_CASE("numbers of a large batch are the next ones of the queue", "[integration][queue][script]") {
    queue_fixture f;
    f.redis({"SET", f.key("id"), "9007199254740000"}); // beyond what prints shortly
    strings words, expected;
    for (int i = 1; i <= 120; ++i) {
        words.insert(words.end(), {"", "a", "1", "{}", "1000000", "0", "0", "L"});
        expected.push_back(std::to_string(9007199254740000 + i));
    }
    CHECK(lines(f.script("add", words)) == expected);
    f.redis({"DEL", f.key("id")});
    words.resize(12 * 8);
    CHECK(lines(f.script("add", words)) ==
          strings{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"});
}

TEST_CASE("jobs of one batch are placed as if they had been added one by one",
          "[integration][queue][script]") {
    queue_fixture f;
    const std::string at = "1000000", opts = "{}";
    const strings words{"",  "a", "1", opts, at, "0",     "0",       "L", //
                        "",  "b", "1", opts, at, "0",     "7",       "L", //
                        "",  "c", "1", opts, at, "0",     "0",       "R", //
                        "x", "d", "1", opts, at, "60000", "0",       "L", //
                        "",  "e", "1", opts, at, "60000", "3",       "L", //
                        "",  "f", "1", opts, at, "0",     "7",       "L", //
                        "x", "g", "2", opts, at, "0",     "0",       "L", //
                        "",  "h", "1", opts, at, "0",     "2097151", "R", //
                        "",  "i", "1", opts, at, "0",     "0",       "L"};
    CHECK(lines(f.script("add", words)) == strings{"1", "2", "3", "x", "5", "6", "x", "8", "9"});
    CHECK(f.redis({"GET", f.key("id")}) == "9");
    CHECK(f.list("wait") == strings{"9", "1", "3"}); // lifo is next, at the right end
    CHECK(f.sorted("prioritized") == strings{"2", "6", "8"});
    CHECK(f.score("prioritized", "2") == "30064771073");
    CHECK(f.score("prioritized", "6") == "30064771074");
    CHECK(f.score("prioritized", "8") == "9007194959773699");
    CHECK(f.redis({"GET", f.key("pc")}) == "3");
    CHECK(f.score("delayed", "x") == "4341760000"); // (1000000 + 60000) * 4096
    CHECK(f.score("delayed", "5") == "4341760001");
    CHECK(f.score("marker", "0") == "0");
    CHECK(f.score("marker", "1") == "1060000");
    CHECK(f.field("x", "name") == "d"); // the second x changed nothing
    CHECK(f.field("5", "delay") == "60000");
    CHECK(f.field("5", "priority") == "3");
    CHECK(f.events() == strings{"added 1 name=a", "waiting 1", "added 2 name=b", "waiting 2",
                                "added 3 name=c", "waiting 3", "added x name=d", "delayed x delay=1060000",
                                "added 5 name=e", "delayed 5 delay=1060000", "added 6 name=f", "waiting 6",
                                "duplicated x", "added 8 name=h", "waiting 8", "added 9 name=i",
                                "waiting 9"});
}

TEST_CASE("an existing custom id is reported and spends a number", "[integration][queue][script]") {
    queue_fixture f;
    CHECK(f.add("report") == "report");
    const auto before = f.hash("report");
    CHECK(f.add("report", "5") == "report");
    CHECK(f.hash("report") == before);
    CHECK(f.list("wait") == strings{"report"});
    CHECK_FALSE(f.exists("prioritized"));
    CHECK(f.redis({"GET", f.key("id")}) == "2");
    CHECK(f.events() == strings{"added report name=paint", "waiting report", "duplicated report"});
}

TEST_CASE("jobs due in the same millisecond keep their order and share the last score",
          "[integration][queue][script]") {
    queue_fixture f;
    f.redis({"ZADD", f.key("delayed"), "4096000000", "a", "4096004094",
             "b"}); // 1000000 ms: first and last but one
    f.add("c", "0", "500000", 500000);
    f.add("d", "0", "500000", 500000);
    f.add("e", "0", "1", 1'000'000);
    CHECK(f.score("delayed", "c") == "4096004095");
    CHECK(f.score("delayed", "d") == "4096004095");
    CHECK(f.score("delayed", "e") == "4096004096");
}

TEST_CASE("a paused or full queue takes jobs without waking anybody", "[integration][queue][script]") {
    queue_fixture f;
    SECTION("paused") {
        f.redis({"HSET", f.key("meta"), "paused", "1"});
    }
    SECTION("at its global concurrency") {
        f.redis({"HSET", f.key("meta"), "concurrency", "1"});
        f.redis({"LPUSH", f.key("active"), "z"});
    }
    f.add("");
    f.add("", "4");
    CHECK_FALSE(f.exists("marker"));
    CHECK(f.list("wait") == strings{"1"});
    CHECK(f.sorted("prioritized") == strings{"2"});
    f.add("", "0", "5000"); // when it is due is always told
    CHECK(f.score("marker", "1") == "1005000");
}

TEST_CASE("the stream is trimmed to what the queue's settings say", "[integration][queue][script]") {
    queue_fixture f;
    f.redis({"HSET", f.key("meta"), "opts.maxLenEvents", "10"});
    for (int i = 0; i < 400; ++i)
        f.add("");
    const auto length = std::stoi(f.redis({"XLEN", f.key("events")}));
    CHECK(length >= 10);
    CHECK(length < 250); // whole nodes of 100 entries stay
    CHECK(f.field("meta", "opts.maxLenEvents") == "10");
}

} // namespace
} // namespace tiktrend::testing
