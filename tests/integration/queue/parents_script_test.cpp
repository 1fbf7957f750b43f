#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

/// A flow as another client would have added it: parent `p` in queue "parents", children in "q", all children
/// active here.
class flow_fixture : public queue_fixture {
public:
    explicit flow_fixture(const std::string& flags, strings child_ids = {"c0", "c1"}) {
        redis({"HSET", "bull:parents:p", "name", "sum", "data", "{}", "opts", "{}", "timestamp", "1", "delay",
               "0", "priority", "0"});
        redis({"ZADD", "bull:parents:waiting-children", "1", "p"});
        for (const auto& id : child_ids) {
            add(id);
            redis({"HSET", key(id), "parentKey", "bull:parents:p", "parent",
                   R"({"id":"p","queueKey":"bull:parents")" + flags + "}"});
            redis({"SADD", "bull:parents:p:dependencies", key(id)});
        }
        fetch("T", static_cast<int>(child_ids.size()));
        clear_events();
    }
    queue_fixture& end(std::vector<ended_job> jobs) {
        script("finish_and_fetch", finish_words(2'000'000, std::move(jobs)));
        return *this;
    }
    std::string parent(const std::string& f) const { return redis({"HGET", "bull:parents:p", f}); }
    bool parent_waits_for_children() const {
        return redis({"ZSCORE", "bull:parents:waiting-children", "p"}) != "(nil)";
    }
    std::string parent_wait() const { return redis({"LRANGE", "bull:parents:wait", "0", "-1"}); }
    std::string dependencies() const { return redis({"SMEMBERS", "bull:parents:p:dependencies"}); }
    std::string parent_events() const { return redis({"XRANGE", "bull:parents:events", "-", "+"}); }
};

ended_job completed(std::string id, std::string value) {
    return {"completed", std::move(id), "T", std::move(value), "", "", "", "", "0", ""};
}
ended_job failed(std::string id) {
    return {"failed", std::move(id), "T", "bad", "[]", "", "", "", "0", ""};
}

TEST_CASE("a parent gets each child's value and runs after the last", "[integration][queue][script]") {
    flow_fixture f{""};
    f.end({completed("c0", "1")});
    CHECK(f.redis({"HGETALL", "bull:parents:p:processed"}) == "bull:q:c0\n1");
    CHECK(f.dependencies() == "bull:q:c1");
    CHECK(f.parent_waits_for_children());
    f.end({completed("c1", R"({"n":2})")});
    CHECK(f.redis({"HGET", "bull:parents:p:processed", "bull:q:c1"}) == R"({"n":2})");
    CHECK_FALSE(f.parent_waits_for_children());
    CHECK(f.parent_wait() == "p");
    CHECK(f.redis({"ZSCORE", "bull:parents:marker", "0"}) == "0");
    CHECK(f.parent_events().find("waiting\njobId\np\nprev\nwaiting-children") != std::string::npos);
}

TEST_CASE("both children may complete in one call", "[integration][queue][script]") {
    flow_fixture f{""};
    f.end({completed("c0", "1"), completed("c1", "2")});
    CHECK(f.redis({"HLEN", "bull:parents:p:processed"}) == "2");
    CHECK(f.parent_wait() == "p");
}

TEST_CASE("a released parent goes where its own delay and priority say", "[integration][queue][script]") {
    flow_fixture f{"", {"c0"}};
    SECTION("delay: an exact score") {
        f.redis({"HSET", "bull:parents:p", "delay", "7000"});
        f.end({completed("c0", "1")});
        CHECK(f.redis({"ZSCORE", "bull:parents:delayed", "p"}) == "8220672000"); // 2007000 * 4096
        CHECK(f.redis({"ZSCORE", "bull:parents:marker", "1"}) == "2007000");
        CHECK(f.parent_events().find("delayed\njobId\np\ndelay\n2007000") != std::string::npos);
    }
    SECTION("priority") {
        f.redis({"HSET", "bull:parents:p", "priority", "3"});
        f.end({completed("c0", "1")});
        CHECK(f.redis({"ZSCORE", "bull:parents:prioritized", "p"}) == "12884901889");
    }
    SECTION("none: next in line") {
        f.redis({"LPUSH", "bull:parents:wait", "other"});
        f.end({completed("c0", "1")});
        CHECK(f.parent_wait() == "other\np");
    }
    SECTION("a paused queue of its own is not woken") {
        f.redis({"HSET", "bull:parents:meta", "paused", "1"});
        f.end({completed("c0", "1")});
        CHECK(f.parent_wait() == "p");
        CHECK(f.redis({"EXISTS", "bull:parents:marker"}) == "0");
    }
}

TEST_CASE("fpof: a failed child fails its parent when that is fetched", "[integration][queue][script]") {
    flow_fixture f{R"(,"fpof":true)"};
    SECTION("the parent waits for children") {
        f.end({failed("c0")});
        CHECK(f.redis({"ZSCORE", "bull:parents:p:unsuccessful", "bull:q:c0"}) == "2000000");
        CHECK(f.parent("defa") == "child bull:q:c0 failed");
        CHECK(f.parent_wait() == "p");
        CHECK(f.dependencies() == "bull:q:c1");
        f.end({completed("c1", "1")}); // later: recorded, and the parent is not moved again
        CHECK(f.redis({"HGET", "bull:parents:p:processed", "bull:q:c1"}) == "1");
        CHECK(f.parent_wait() == "p");
    }
    SECTION("the parent is delayed") {
        f.redis({"ZREM", "bull:parents:waiting-children", "p"});
        f.redis({"ZADD", "bull:parents:delayed", "1", "p"});
        f.redis({"HSET", "bull:parents:p", "delay", "9000"});
        f.end({failed("c0")});
        CHECK(f.parent("delay") == "0");
        CHECK(f.parent_wait() == "p");
    }
    SECTION("the parent is elsewhere") {
        f.redis({"ZREM", "bull:parents:waiting-children", "p"});
        f.redis({"LPUSH", "bull:parents:active", "p"});
        f.end({failed("c0")});
        CHECK(f.parent("defa") == "child bull:q:c0 failed");
        CHECK(f.parent_wait() == "");
    }
    SECTION("the parent has failed already") {
        f.redis({"ZREM", "bull:parents:waiting-children", "p"});
        f.redis({"ZADD", "bull:parents:failed", "1", "p"});
        f.end({failed("c0")});
        CHECK(f.parent("defa") == "(nil)");
    }
}

TEST_CASE("cpof: a failed child lets its parent run at once", "[integration][queue][script]") {
    flow_fixture f{R"(,"cpof":true)"};
    f.end({failed("c0")});
    CHECK(f.redis({"HGETALL", "bull:parents:p:failed"}) == "bull:q:c0\nbad");
    CHECK(f.parent_wait() == "p");
    CHECK(f.dependencies() == "bull:q:c1");
    CHECK(f.parent("defa") == "(nil)");
}

TEST_CASE("idof and rdof: a failed child counts as done", "[integration][queue][script]") {
    SECTION("idof records the failure") {
        flow_fixture f{R"(,"idof":true)"};
        f.end({failed("c0")});
        CHECK(f.parent_waits_for_children());
        f.end({failed("c1")});
        CHECK(f.parent_wait() == "p");
        CHECK(f.redis({"HLEN", "bull:parents:p:failed"}) == "2");
    }
    SECTION("rdof does not") {
        flow_fixture f{R"(,"rdof":true)"};
        f.end({failed("c0"), failed("c1")});
        CHECK(f.parent_wait() == "p");
        CHECK(f.redis({"EXISTS", "bull:parents:p:failed", "bull:parents:p:unsuccessful"}) == "0");
    }
}

TEST_CASE("without a flag a parent keeps waiting for its failed child", "[integration][queue][script]") {
    flow_fixture f{"", {"c0"}};
    SECTION("kept") {
        f.end({failed("c0")});
        CHECK(f.parent_waits_for_children());
        CHECK(f.dependencies() == "bull:q:c0");
    }
    SECTION("until the child is removed") {
        auto gone = failed("c0");
        gone.keep_count = "0";
        f.end({gone});
        CHECK_FALSE(f.exists("c0"));
        CHECK(f.parent_wait() == "p");
        CHECK(f.dependencies() == "");
    }
    SECTION("or evicted by a later one") {
        f.end({failed("c0")});
        f.add("x");
        f.fetch("T", 1);
        auto newest = failed("x");
        newest.keep_count = "1";
        f.end({newest});
        CHECK(f.parent_wait() == "p");
    }
}

TEST_CASE("a child whose parent is gone just finishes", "[integration][queue][script]") {
    flow_fixture f{R"(,"fpof":true)", {"c0"}};
    f.redis({"DEL", "bull:parents:p", "bull:parents:p:dependencies", "bull:parents:waiting-children"});
    SECTION("completed") {
        f.end({completed("c0", "1")});
    }
    SECTION("failed") {
        f.end({failed("c0")});
    }
    CHECK(f.redis({"KEYS", "bull:parents:*"}) == "");
}

} // namespace
} // namespace tiktrend::testing
