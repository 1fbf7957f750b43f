#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

/// A scheduler "ev", every 60 s at 15.487 s past the minute, whose pending job has been fetched.
class scheduler_fixture : public queue_fixture {
public:
    scheduler_fixture() {
        redis({"HSET", key("repeat:ev"), "name", "tick", "every", "60000", "offset", "15487", "data",
               R"({"a":1})", "ic", "1"});
        redis({"ZADD", key("repeat"), "6015487", "ev"});
        redis({"HSET", key("repeat:ev:6015487"), "name", "tick", "data", R"({"old":1})", "rjk", "ev"});
    }
    std::string next(std::int64_t now, const std::string& id = "repeat:ev:6015487",
                     const std::string& every = "60000", const std::string& cron = "0",
                     const std::string& priority = "0", const std::string& offset = "0") {
        return script("next_iteration", {std::to_string(now), id, "ev", every, cron,
                                         R"({"attempts":2,"jobId":"repeat:ev:)", priority, "L", offset});
    }
};

TEST_CASE("the next job of a scheduler is created once", "[integration][queue][script]") {
    scheduler_fixture f;
    CHECK(f.next(6'015'626) == "repeat:ev:6075487");
    CHECK(f.score("repeat", "ev") == "6075487");
    CHECK(f.field("repeat:ev", "ic") == "2");
    CHECK(f.redis({"GET", f.key("id")}) == "1");
    CHECK(f.hash("repeat:ev:6075487") ==
          dump{{"name", "tick"},
               {"data", R"({"a":1})"},
               {"opts", R"({"attempts":2,"jobId":"repeat:ev:6075487","delay":59861})"},
               {"timestamp", "6015626"},
               {"delay", "59861"},
               {"priority", "0"},
               {"rjk", "ev"}});
    CHECK(f.score("delayed", "repeat:ev:6075487") == "24885194752"); // 6075487 * 4096
    CHECK(f.events() ==
          strings{"added repeat:ev:6075487 name=tick", "delayed repeat:ev:6075487 delay=6075487"});
    CHECK(f.next(6'015'630) == "(nil)"); // somebody was here
    CHECK(f.events().size() == 2);
}

TEST_CASE("a scheduler that fell behind continues at its next slot", "[integration][queue][script]") {
    scheduler_fixture f;
    SECTION("later in the minute") {
        CHECK(f.next(6'300'000) == "repeat:ev:6315487");
    }
    SECTION("before the slot of this minute") {
        CHECK(f.next(6'320'000) == "repeat:ev:6375487");
    }
}

TEST_CASE("the record's interval has precedence over the job's", "[integration][queue][script]") {
    scheduler_fixture f;
    CHECK(f.next(6'015'626, "repeat:ev:6015487", "1000") == "repeat:ev:6075487");
    f.redis({"HDEL", f.key("repeat:ev"), "every"});
    CHECK(f.next(6'075'490, "repeat:ev:6075487", "1000") == "repeat:ev:6076487");
    CHECK(f.next(6'076'490, "repeat:ev:6076487", "0") == "(nil)");
}

TEST_CASE("a cron time comes from the client", "[integration][queue][script]") {
    scheduler_fixture f;
    CHECK(f.next(6'015'626, "repeat:ev:6015487", "0", "7000000", "3") == "repeat:ev:7000000");
    CHECK(f.field("repeat:ev:7000000", "priority") == "3");
}

TEST_CASE("a removed scheduler, another job of it and an existing next job end it here",
          "[integration][queue][script]") {
    scheduler_fixture f;
    SECTION("an earlier job") {
        CHECK(f.next(6'015'626, "repeat:ev:5955487") == "(nil)");
    }
    SECTION("the scheduler is gone") {
        f.redis({"DEL", f.key("repeat")});
        CHECK(f.next(6'015'626) == "(nil)");
    }
    SECTION("the next job is there") {
        f.redis({"HSET", f.key("repeat:ev:6075487"), "name", "x"});
        CHECK(f.next(6'015'626) == "(nil)");
        CHECK(f.events() == strings{"duplicated repeat:ev:6075487"});
    }
    CHECK_FALSE(f.exists("delayed"));
}

TEST_CASE("a repeatable of version 5 goes on with the running job's data", "[integration][queue][script]") {
    scheduler_fixture f;
    f.redis({"HDEL", f.key("repeat:ev"), "ic"});
    f.redis({"HDEL", f.key("repeat:ev"), "data"});
    f.next(6'015'626);
    CHECK(f.field("repeat:ev:6075487", "data") == R"({"old":1})");
    CHECK(f.field("repeat:ev", "ic") == "(nil)");
}

TEST_CASE("a repeatable of version 5 runs later than its time by its own offset, a scheduler does not",
          "[integration][queue][script]") {
    scheduler_fixture f;
    const bool is_legacy = GENERATE(true, false);
    if (is_legacy) f.redis({"HDEL", f.key("repeat:ev"), "ic"});
    CHECK(f.next(6'015'626, "repeat:ev:6015487", "60000", "0", "0", "300") == "repeat:ev:6075487");
    CHECK(f.field("repeat:ev:6075487", "delay") == (is_legacy ? "60161" : "59861"));
}

TEST_CASE("a repeatable under an old key goes on under the checksum of its ids",
          "[integration][queue][script]") {
    queue_fixture f;
    const std::string key = "old::::60000";
    f.redis({"ZADD", f.key("repeat"), "6000000", key});
    f.redis({"HSET", f.key("repeat:5d41:6000000"), "name", "old", "data", R"({"a":1})", "rjk", key});
    const auto next = [&](const std::string& id, const std::string& scheduler) {
        return f.script("next_iteration",
                        {"6000010", id, scheduler, "60000", "0", R"({"jobId":"repeat:5d41:)", "0", "L", "0"});
    };
    CHECK(next("repeat:5d41:5940000", key) == "(nil)"); // not the pending one
    CHECK(next("repeat:5d41:6000000", key) == "repeat:5d41:6060000");
    CHECK(f.score("repeat", key) == "6060000");
    CHECK(f.field("repeat:5d41:6060000", "rjk") == key);
    CHECK(f.field("repeat:5d41:6060000", "name") == "old");
    CHECK(f.field("repeat:5d41:6060000", "data") == R"({"a":1})");
    CHECK_FALSE(f.exists("repeat:" + key)); // no record is made up
    // A scheduler's own jobs are called after it.
    f.redis({"ZADD", f.key("repeat"), "6000000", "ev"});
    CHECK(next("repeat:5d41:6000000", "ev") == "(nil)");
}

} // namespace
} // namespace tiktrend::testing
