#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::deduplication_options;
using queue::job_options;
using queue::new_job;
using queue::parent_options;

/// Adds with a deduplication id "dd" by the script; `rule` are further members of the option.
class rule_fixture : public queue_fixture {
public:
    std::string add_with(const std::string& rule, const std::string& delay = "0",
                         std::int64_t timestamp = 1'000'000, const std::string& id = "",
                         const std::string& data = "1") {
        const auto de = R"({"de":{"id":"dd")" + (rule.empty() ? rule : "," + rule) + "}}";
        return script("add",
                      {id, "paint", data, R"({"attempts":0})", std::to_string(timestamp), delay, "0", de});
    }
    std::string owner() const { return redis({"GET", key("de:dd")}); }
    std::int64_t ttl() const { return std::stoll(redis({"PTTL", key("de:dd")})); }
};

TEST_CASE("a second job with a deduplication id is suppressed while the first exists",
          "[integration][queue][script]") {
    rule_fixture f;
    CHECK(f.add_with("") == "1");
    CHECK(f.field("1", "deid") == "dd");
    CHECK(f.add_with("") == "1");
    CHECK(f.owner() == "1");
    CHECK(f.ttl() == -1);
    CHECK_FALSE(f.exists("2"));
    CHECK(f.redis({"GET", f.key("id")}) == "2");
    CHECK(f.list("wait") == strings{"1"});
    CHECK(f.events() == strings{"added 1 name=paint", "waiting 1",
                                "deduplicated 1 deduplicationId=dd deduplicatedJobId=2"});
    SECTION("also while it is active, and not any more when it has finished") {
        f.fetch("T", 1);
        CHECK(f.add_with("") == "1");
        f.script("finish_and_fetch",
                 finish_words(2'000'000, {{"completed", "1", "T", "null", "", "", "", "", "0", ""}}));
        CHECK(f.add_with("") == "4");
        CHECK(f.owner() == "4");
    }
    SECTION("two in one call") {
        CHECK(f.add_with("", "0", 1'000'000, "own") == "1");
        CHECK_FALSE(f.exists("own"));
    }
}

TEST_CASE("version 5's event comes before the other if asked for", "[integration][queue][script]") {
    rule_fixture f;
    f.add_with("");
    f.clear_events();
    f.add_with(R"("debounced":true)");
    CHECK(f.events() ==
          strings{"debounced 1 debounceId=dd", "deduplicated 1 deduplicationId=dd deduplicatedJobId=2"});
}

TEST_CASE("an id whose job was lost is taken over", "[integration][queue][script]") {
    rule_fixture f;
    f.redis({"SET", f.key("de:dd"), "lost"});
    f.redis({"HSET", f.key("dn:dd"), "name", "x"});
    CHECK(f.add_with(GENERATE("", R"("keepLastIfActive":true)", R"("replace":true)")) == "1");
    CHECK(f.owner() == "1");
    CHECK_FALSE(f.exists("dn:dd"));
    CHECK(f.list("wait") == strings{"1"});
}

TEST_CASE("a throttle suppresses for its time, and starts again only if extended",
          "[integration][queue][script]") {
    rule_fixture f;
    const bool extends = GENERATE(false, true);
    const std::string rule = R"("ttl":60000)" + std::string{extends ? R"(,"extend":true)" : ""};
    CHECK(f.add_with(rule) == "1");
    CHECK(f.ttl() > 50'000);
    f.redis({"PEXPIRE", f.key("de:dd"), "30000"});
    CHECK(f.add_with(rule) == "1");
    CHECK((f.ttl() > 50'000) == extends);
    CHECK(f.owner() == "1");
    f.fetch("T", 1);
    f.script("finish_and_fetch",
             finish_words(2'000'000, {{"completed", "1", "T", "null", "", "0", "", "", "0", ""}}));
    CHECK(f.add_with(rule) == "1"); // the job is gone, its time is not over
    CHECK(f.redis({"LLEN", f.key("wait")}) == "0");
}

TEST_CASE("a debounced job gives way to the next as long as it is delayed", "[integration][queue][script]") {
    rule_fixture f;
    CHECK(f.add_with(R"("replace":true)", "5000") == "1");
    f.redis({"HSET", f.key("dn:dd"), "name", "x"});
    f.redis({"RPUSH", f.key("1:logs"), "row"});
    CHECK(f.add_with(R"("replace":true)", "5000", 1'001'000) == "2");
    CHECK(f.owner() == "2");
    CHECK_FALSE(f.exists("1"));
    CHECK_FALSE(f.exists("1:logs"));
    CHECK_FALSE(f.exists("dn:dd"));
    CHECK(f.sorted("delayed") == strings{"2"});
    CHECK(f.events() == strings{"added 1 name=paint", "delayed 1 delay=1005000", "removed 1 prev=delayed",
                                "deduplicated 2 deduplicationId=dd deduplicatedJobId=1", "added 2 name=paint",
                                "delayed 2 delay=1006000"});
    SECTION("waiting, it stays, and nothing is told") {
        f.script("promote", {"2"});
        f.clear_events();
        CHECK(f.add_with(R"("replace":true)", "5000") == "2");
        CHECK(f.events().empty());
        CHECK_FALSE(f.exists("3"));
    }
}

TEST_CASE("a debounce keeps the time that is left unless it is extended", "[integration][queue][script]") {
    rule_fixture f;
    const bool extends = GENERATE(false, true);
    const std::string rule =
        R"("replace":true,"ttl":60000)" + std::string{extends ? R"(,"extend":true)" : ""};
    f.add_with(rule, "5000");
    f.redis({"PEXPIRE", f.key("de:dd"), "30000"});
    CHECK(f.add_with(rule, "5000") == "2");
    CHECK(f.owner() == "2");
    CHECK((f.ttl() > 50'000) == extends);
    CHECK(f.ttl() > 0);
}

TEST_CASE("a delayed owner is rescheduled, another is not", "[integration][queue][script]") {
    rule_fixture f;
    f.add_with("", "5000");
    f.clear_events();
    CHECK(f.add_with(R"("reschedule":true)", "9000", 2'000'000, "", "2") == "1");
    CHECK(f.field("1", "delay") == "9000");
    CHECK(f.field("1", "data") == "1");
    CHECK(f.score("delayed", "1") == "8228864000"); // 2009000 * 4096
    CHECK(f.events() ==
          strings{"deduplicated 1 deduplicationId=dd deduplicatedJobId=2", "delayed 1 delay=2009000"});
    f.script("promote", {"1"});
    f.clear_events();
    CHECK(f.add_with(R"("reschedule":true)", "9000", 2'000'000) == "1");
    CHECK(f.events() == strings{"deduplicated 1 deduplicationId=dd deduplicatedJobId=3"});
    CHECK_FALSE(f.exists("delayed"));
}

TEST_CASE("the last add while the owner is active is done after it", "[integration][queue][script]") {
    rule_fixture f;
    const std::string rule = R"("keepLastIfActive":true,"ttl":60000)";
    CHECK(f.add_with(rule) == "1");
    CHECK(f.ttl() == -1); // the time to live does not count
    CHECK(f.add_with(rule) == "1");
    CHECK_FALSE(f.exists("dn:dd")); // waiting: suppressed as usual
    f.fetch("T", 1);
    f.clear_events();
    CHECK(f.add_with(rule, "0", 1'000'000, "", "2") == "1");
    CHECK(f.add_with(rule, "0", 1'000'000, "", "3") == "1");
    CHECK(f.hash("dn:dd") ==
          dump{{"name", "paint"}, {"data", "3"}, {"opts", R"({"attempts":0})"}, {"jid", "4"}});
    CHECK(f.events() == strings{"deduplicated 1 deduplicationId=dd deduplicatedJobId=3",
                                "deduplicated 1 deduplicationId=dd deduplicatedJobId=4"});
    f.script("finish_and_fetch",
             finish_words(2'000'000, {{"completed", "1", "T", "null", "", "", "", "", "0", ""}}));
    CHECK(f.owner() == "4");
    CHECK(f.field("4", "data") == "3");
    CHECK(f.list("wait") == strings{"4"});
}

task<void> add_twice(queue::queue& q, job_options first, job_options second, strings& ids) {
    ids.push_back(co_await q.add({"paint", "1", std::move(first)}));
    ids.push_back(co_await q.add({"paint", "2", std::move(second)}));
}

TEST_CASE("deduplication options reach the queue as other clients write them", "[integration][queue]") {
    queue_fixture f;
    job_options o;
    o.deduplication = deduplication_options{};
    o.deduplication->id = "dd";
    o.deduplication->ttl = 60s;
    o.deduplication->extend = true;
    strings ids;
    f.with_queue([&](queue::queue& q) { return add_twice(q, o, o, ids); });
    CHECK(ids == strings{"1", "1"});
    CHECK(f.field("1", "opts") == R"({"attempts":0,"de":{"id":"dd","ttl":60000,"extend":true}})");
    CHECK(f.field("1", "deid") == "dd");
    CHECK(f.redis({"GET", f.key("de:dd")}) == "1");
}

} // namespace
} // namespace tiktrend::testing
