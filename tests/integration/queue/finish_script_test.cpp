#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

ended_job completed(std::string id, std::string value = "null", std::string token = "T") {
    return {"completed", std::move(id), std::move(token), std::move(value), "", "", "", "", "0", ""};
}
ended_job failed(std::string id, std::string reason, std::string attempts = "0") {
    return {"failed", std::move(id),       "T", std::move(reason), "[\"stack\"]", "", "",
            "",       std::move(attempts), ""};
}

TEST_CASE("a completed job keeps its value and leaves no trace of its run", "[integration][queue][script]") {
    queue_fixture f;
    f.add("");
    f.fetch("T", 1);
    f.redis({"SADD", f.key("stalled"), "1"});
    f.clear_events();
    CHECK(f.script("finish_and_fetch", finish_words(2'000'000, {completed("1", R"({"n":1})")})) ==
          "\n\n0\n0");
    CHECK(f.score("completed", "1") == "2000000");
    CHECK(f.field("1", "returnvalue") == R"({"n":1})");
    CHECK(f.field("1", "finishedOn") == "2000000");
    CHECK(f.field("1", "atm") == "1");
    CHECK_FALSE(f.exists("1:lock"));
    CHECK_FALSE(f.exists("active"));
    CHECK_FALSE(f.exists("stalled"));
    CHECK_FALSE(f.exists("metrics:completed"));
    CHECK(f.events() == strings{R"(completed 1 returnvalue={"n":1} prev=active)", "drained"});
}

TEST_CASE("a failed job keeps the reason and says when its attempts are used up",
          "[integration][queue][script]") {
    queue_fixture f;
    f.add("");
    f.add("");
    f.fetch("T", 2);
    f.redis({"HSET", f.key("1"), "defa", "job stalled more than allowable limit"});
    f.clear_events();
    f.script("finish_and_fetch",
             finish_words(2'000'000, {failed("1", "bad luck", "1"), failed("2", "fatal", "3")}));
    CHECK(f.sorted("failed") == strings{"1", "2"});
    CHECK(f.field("1", "failedReason") == "bad luck");
    CHECK(f.field("1", "stacktrace") == "[\"stack\"]");
    CHECK(f.field("1", "finishedOn") == "2000000");
    CHECK(f.field("1", "atm") == "1");
    CHECK(f.field("1", "defa") == "(nil)");
    CHECK(f.events() == strings{"failed 1 failedReason=bad luck prev=active",
                                "retries-exhausted 1 attemptsMade=1",
                                "failed 2 failedReason=fatal prev=active", "drained"});
}

TEST_CASE("one call ends many jobs and takes the next ones", "[integration][queue][script]") {
    queue_fixture f;
    for (int i = 0; i < 6; ++i)
        f.add("");
    f.fetch("T", 3);
    f.clear_events();
    f.script("finish_and_fetch",
             finish_words(2'000'000, {completed("1"), failed("2", "no"), completed("3")}, 2, "U"));
    CHECK(f.list("active") == strings{"5", "4"});
    CHECK(f.redis({"GET", f.key("5:lock")}) == "U");
    CHECK(f.sorted("completed") == strings{"1", "3"});
    CHECK(f.sorted("failed") == strings{"2"});
    CHECK(f.events() == strings{"completed 1 returnvalue=null prev=active",
                                "failed 2 failedReason=no prev=active", "retries-exhausted 2 attemptsMade=1",
                                "completed 3 returnvalue=null prev=active", "active 4 prev=waiting",
                                "active 5 prev=waiting"});
}

TEST_CASE("a refused job is left as it was and does not stop the others", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"ok1", "missing", "stolen", "expired", "moved", "pending", "unlucky", "ok2"})
        f.add(id);
    f.fetch("T", 8);
    f.redis({"DEL", f.key("missing")});
    f.redis({"SET", f.key("stolen:lock"), "other"});
    f.redis({"DEL", f.key("expired:lock")});
    f.redis({"LREM", f.key("active"), "0", "moved"});
    f.redis({"SADD", f.key("pending:dependencies"), "bull:q:child"});
    f.redis({"ZADD", f.key("unlucky:unsuccessful"), "1", "bull:q:child"});
    std::map<std::string, dump> before;
    for (const char* id : {"stolen", "expired", "moved", "pending", "unlucky"})
        before[id] = f.hash(id);
    f.clear_events();

    const auto reply =
        f.script("finish_and_fetch",
                 finish_words(2'000'000, {completed("ok1"), completed("missing"), completed("stolen"),
                                          completed("expired"), completed("moved"), completed("pending"),
                                          completed("unlucky"), completed("ok2")}));
    CHECK(reply == "2\n-1\n3\n-6\n4\n-2\n5\n-3\n6\n-4\n7\n-9\n\n0\n0");
    CHECK(f.sorted("completed") == strings{"ok1", "ok2"});
    for (const char* id : {"stolen", "expired", "moved", "pending", "unlucky"}) {
        CHECK(f.hash(id) == before[id]);
        CHECK(f.exists(std::string{id} + ":lock") == (std::string{id} != "expired"));
    }
    CHECK_FALSE(f.exists("missing"));
    CHECK(f.events() == strings{"completed ok1 returnvalue=null prev=active",
                                "completed ok2 returnvalue=null prev=active"});
}

TEST_CASE("pending children do not keep a job from failing", "[integration][queue][script]") {
    queue_fixture f;
    f.add("1x");
    f.fetch("T", 1);
    f.redis({"SADD", f.key("1x:dependencies"), "bull:q:child"});
    f.script("finish_and_fetch", finish_words(2'000'000, {failed("1x", "no")}));
    CHECK(f.sorted("failed") == strings{"1x"});
}

TEST_CASE("the token 0 stands for no lock", "[integration][queue][script]") {
    queue_fixture f;
    f.add("");
    f.fetch("T", 1);
    f.redis({"DEL", f.key("1:lock")});
    CHECK(f.script("finish_and_fetch", finish_words(2'000'000, {completed("1", "null", "0")})) == "\n\n0\n0");
    CHECK(f.sorted("completed") == strings{"1"});
}

TEST_CASE("finished jobs are kept by count", "[integration][queue][script]") {
    queue_fixture f;
    for (int i = 0; i < 5; ++i)
        f.add("");
    f.fetch("T", 5);
    std::vector<ended_job> all;
    for (const char* id : {"1", "2", "3", "4", "5"}) {
        all.push_back(completed(id));
        all.back().keep_count = "2";
    }
    SECTION("in one call") {
        f.script("finish_and_fetch", finish_words(2'000'000, all));
    }
    SECTION("one by one") {
        for (const auto& one : all)
            f.script("finish_and_fetch", finish_words(2'000'000, {one}));
    }
    CHECK(f.sorted("completed") == strings{"4", "5"});
    CHECK(f.keys() == std::set<std::string>{"4", "5", "completed", "events", "id", "marker", "meta"});
    CHECK(f.events().back() == "drained");
}

TEST_CASE("a job may end as the one before it did, with a value of its own", "[integration][queue][script]") {
    queue_fixture f;
    for (int i = 0; i < 4; ++i)
        f.add("");
    f.fetch("T", 4);
    auto kept = completed("1", "1");
    kept.keep_count = "2";
    auto words = finish_words(2'000'000, {kept});
    words.insert(words.end(), {"=", "2", "[2]", "=", "3", "3"});
    const auto last = finish_words(0, {failed("4", "no", "1")});
    words.insert(words.end(), last.begin() + 8, last.end());
    CHECK(f.script("finish_and_fetch", words) == "\n\n0\n0");
    CHECK(f.sorted("completed") == strings{"2", "3"});
    CHECK(f.field("2", "returnvalue") == "[2]");
    CHECK(f.field("3", "returnvalue") == "3");
    CHECK(f.sorted("failed") == strings{"4"});
    CHECK_FALSE(f.exists("active"));
}

TEST_CASE("jobs that end together leave active together, and nobody else does",
          "[integration][queue][script]") {
    queue_fixture f;
    for (int i = 0; i < 8; ++i)
        f.add("");
    f.fetch("other", 1);
    f.fetch("T", 5);
    const std::vector<ended_job> mine{completed("2"), completed("6"), completed("4"), completed("3"),
                                      completed("5")};
    SECTION("when they were taken last") {
        CHECK(f.script("finish_and_fetch", finish_words(2'000'000, mine)) == "\n\n0\n0");
        CHECK(f.list("active") == strings{"1"});
    }
    SECTION("when others were taken after them") {
        f.fetch("other", 2);
        CHECK(f.script("finish_and_fetch", finish_words(2'000'000, mine)) == "\n\n0\n0");
        CHECK(f.list("active") == strings{"8", "7", "1"});
    }
    SECTION("when they are the first to have been taken") {
        f.script("finish_and_fetch", finish_words(2'000'000, {completed("1", "null", "other")}));
        CHECK(f.script("finish_and_fetch", finish_words(2'000'000, mine)) == "\n\n0\n0");
        CHECK_FALSE(f.exists("active"));
    }
    SECTION("but not one whose lock was lost") {
        f.script("finish_and_fetch", finish_words(2'000'000, {completed("1", "null", "other")}));
        f.redis({"DEL", f.key("4:lock")});
        CHECK(f.script("finish_and_fetch", finish_words(2'000'000, mine)) == "3\n-2\n\n0\n0");
        CHECK(f.list("active") == strings{"4"});
        CHECK(f.sorted("completed") == strings{"1", "2", "3", "5", "6"});
        return;
    }
    SECTION("but not one that has no hash") {
        f.script("finish_and_fetch", finish_words(2'000'000, {completed("1", "null", "other")}));
        f.redis({"DEL", f.key("3")});
        CHECK(f.script("finish_and_fetch", finish_words(2'000'000, mine)) == "4\n-1\n\n0\n0");
        CHECK(f.list("active") == strings{"3"});
        CHECK(f.redis({"GET", f.key("3:lock")}) == "T");
        CHECK(f.sorted("completed") == strings{"1", "2", "4", "5", "6"});
        return;
    }
    SECTION("and one that is named twice ends once") {
        f.script("finish_and_fetch", finish_words(2'000'000, {completed("1", "null", "other")}));
        auto twice = mine;
        twice.push_back(completed("2"));
        CHECK(f.script("finish_and_fetch", finish_words(2'000'000, twice)) == "6\n-3\n\n0\n0");
        CHECK_FALSE(f.exists("active"));
    }
    CHECK(f.sorted("completed").size() >= 5);
    for (const char* id : {"2", "3", "4", "5", "6"})
        CHECK_FALSE(f.exists(std::string{id} + ":lock"));
}

TEST_CASE("a count of zero removes the job with everything of it", "[integration][queue][script]") {
    queue_fixture f;
    f.add("");
    f.fetch("T", 1);
    f.script("add_log", {"1", "row", "0"});
    auto done = completed("1");
    done.keep_count = "0";
    f.clear_events();
    f.script("finish_and_fetch", finish_words(2'000'000, {done}));
    CHECK(f.keys() == std::set<std::string>{"events", "id", "marker", "meta"});
    CHECK(f.events() == strings{"completed 1 returnvalue=null prev=active", "drained"});
}

TEST_CASE("finished jobs are kept by age, a limited number going at a time", "[integration][queue][script]") {
    queue_fixture f;
    for (int i = 0; i < 4; ++i)
        f.add("");
    f.fetch("T", 4);
    f.script("finish_and_fetch", finish_words(1'000'000, {failed("1", "x")}));
    f.script("finish_and_fetch", finish_words(1'001'000, {failed("2", "x")}));
    f.script("finish_and_fetch", finish_words(1'002'000, {failed("3", "x")}));
    auto last = failed("4", "x");
    last.keep_age = "10";
    SECTION("all that are old enough") {
        f.script("finish_and_fetch", finish_words(1'011'500, {last}));
        CHECK(f.sorted("failed") == strings{"3", "4"});
        CHECK_FALSE(f.exists("1"));
    }
    SECTION("the newest of them first, up to the limit") {
        last.keep_limit = "1";
        f.script("finish_and_fetch", finish_words(1'011'500, {last}));
        CHECK(f.sorted("failed") == strings{"1", "3", "4"});
        CHECK_FALSE(f.exists("2"));
        CHECK(f.exists("1"));
    }
    SECTION("together with a count") {
        last.keep_count = "1";
        f.script("finish_and_fetch", finish_words(1'011'500, {last}));
        CHECK(f.sorted("failed") == strings{"4"});
    }
}

TEST_CASE("jobs with different policies in one call are each kept as they say",
          "[integration][queue][script]") {
    queue_fixture f;
    for (int i = 0; i < 4; ++i)
        f.add("");
    f.fetch("T", 4);
    auto newest_only = completed("3");
    newest_only.keep_count = "1";
    auto gone = completed("4");
    gone.keep_count = "0";
    f.script("finish_and_fetch",
             finish_words(2'000'000, {completed("1"), completed("2"), newest_only, gone}));
    CHECK(f.sorted("completed") == strings{"3"});
}

TEST_CASE("metrics have one point per minute, newest first", "[integration][queue][script]") {
    queue_fixture f;
    for (int i = 0; i < 6; ++i)
        f.add("");
    f.fetch("T", 6);
    const std::int64_t minute = 60'000;
    const auto end = [&](std::int64_t now, std::vector<ended_job> jobs) {
        f.script("finish_and_fetch", finish_words(now, std::move(jobs), 0, "F", "3"));
    };
    end(100 * minute + 59'000, {completed("1"), completed("2")});
    CHECK(f.hash("metrics:completed") == dump{{"count", "2"}, {"prevTS", "6059000"}, {"prevCount", "0"}});
    CHECK_FALSE(f.exists("metrics:completed:data"));
    end(101 * minute, {completed("3")});
    CHECK(f.list("metrics:completed:data") == strings{"2"});
    CHECK(f.hash("metrics:completed") == dump{{"count", "3"}, {"prevTS", "6060000"}, {"prevCount", "2"}});
    end(103 * minute, {completed("4"), failed("5", "no")});
    CHECK(f.list("metrics:completed:data") == strings{"0", "1", "2"});
    CHECK(f.field("metrics:failed", "count") == "1");
    end(200 * minute, {completed("6")});
    CHECK(f.list("metrics:completed:data") == strings{"0", "0", "1"});
}

TEST_CASE("drained is said only when nothing at all is left", "[integration][queue][script]") {
    queue_fixture f;
    f.add("");
    f.add("");
    const auto says_drained = [&](int wanted) {
        f.clear_events();
        f.script("finish_and_fetch", finish_words(2'000'000, {completed("1")}, wanted));
        return f.events().back() == "drained";
    };
    SECTION("another job is active") {
        f.fetch("T", 2);
        CHECK_FALSE(says_drained(1));
    }
    SECTION("another job waits and was not asked for") {
        f.fetch("T", 1);
        CHECK_FALSE(says_drained(0));
    }
    SECTION("a delayed job is known") {
        f.fetch("T", 2);
        f.script("finish_and_fetch", finish_words(2'000'000, {completed("2")}));
        f.add("later", "0", "5000000");
        SECTION("when a fetch was wanted") {
            CHECK_FALSE(says_drained(1));
        }
        SECTION("but not when none was") {
            CHECK(says_drained(0));
        }
    }
    SECTION("the queue is paused") {
        f.fetch("T", 2);
        f.script("finish_and_fetch", finish_words(2'000'000, {completed("2")}));
        f.redis({"HSET", f.key("meta"), "paused", "1"});
        CHECK_FALSE(says_drained(1));
    }
    SECTION("the last one, with a fetch that finds nothing") {
        f.fetch("T", 2);
        f.script("finish_and_fetch", finish_words(2'000'000, {completed("2")}));
        CHECK(says_drained(1));
    }
}

TEST_CASE("a slot of the global concurrency that becomes free wakes a worker",
          "[integration][queue][script]") {
    queue_fixture f;
    f.redis({"HSET", f.key("meta"), "concurrency", "1"});
    f.add("");
    f.add("");
    f.fetch("T", 1);
    f.redis({"DEL", f.key("marker")});
    f.script("finish_and_fetch", finish_words(2'000'000, {completed("1")}));
    CHECK(f.score("marker", "0") == "0");
}

TEST_CASE("an absurd number of jobs to keep keeps all", "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"a", "b", "d"})
        f.add(id);
    f.fetch("T", 3);
    auto absurd = completed("a");
    absurd.keep_count = "9223372036854775807";
    auto by_age = failed("d", "no");
    by_age.keep_age = "1";
    by_age.keep_limit = "9223372036854775807";
    CHECK(f.script("finish_and_fetch", finish_words(2'000'000, {absurd, completed("b"), by_age})) ==
          "\n\n0\n0");
    CHECK(f.sorted("completed") == strings{"a", "b"});
    CHECK(f.sorted("failed") == strings{"d"});
}

TEST_CASE("a parent that cannot be told holds up neither its child nor the others",
          "[integration][queue][script]") {
    queue_fixture f;
    for (const char* id : {"a", "child", "b", "waits"})
        f.add(id);
    f.redis({"HSET", f.key("child"), "parentKey", f.key("wait"), "parent",
             R"({"id":"wait","queueKey":"bull:q","fpof":true})"});
    f.redis({"SADD", f.key("wait:dependencies"), f.key("child")});
    f.fetch("T", 3); // `wait` remains, which is a list and no job
    const auto reply =
        lines(f.script("finish_and_fetch",
                       finish_words(2'000'000, {completed("a"), failed("child", "no"), completed("b")})));
    CHECK(f.sorted("completed") == strings{"a", "b"});
    CHECK(f.sorted("failed") == strings{"child"});
    CHECK_FALSE(f.exists("active"));
    CHECK_FALSE(f.exists("child:lock"));
    REQUIRE(reply.size() >= 2);
    CHECK(reply[reply.size() - 2] == "2"); // the second of the call
    CHECK(reply.back().find("WRONGTYPE") != std::string::npos);
}

TEST_CASE("a lock that would last no time is refused before a job leaves its place",
          "[integration][queue][script]") {
    queue_fixture f;
    f.add("a");
    const auto* duration = GENERATE("0", "-1", "9223372036854775807");
    CHECK_THROWS_WITH(f.script("finish_and_fetch", {"1000000", "T", duration, "1", "w1", "0", "0", "0"}),
                      Catch::Contains("lock duration"));
    CHECK(f.list("wait") == strings{"a"});
}

} // namespace
} // namespace tiktrend::testing
