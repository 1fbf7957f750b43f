#include "queue_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::deduplication_options;
using queue::job_options;
using queue::new_job;
using queue::parent_options;

/// A parent "p" in the queue "up", and adds of children by the script.
class child_fixture : public queue_fixture {
public:
    child_fixture() {
        redis({"HSET", "bull:up:p", "name", "up", "timestamp", "1", "delay", "0", "priority", "0"});
    }
    std::string add_child(const std::string& id = "", const std::string& parent = "p",
                          const std::string& further = "") {
        return script("add", words(id, parent, further));
    }
    static strings words(const std::string& id, const std::string& parent, const std::string& further = "") {
        return {id,
                "child",
                "1",
                "{}",
                "1000000",
                "0",
                "0",
                R"({"parentKey":"bull:up:)" + parent + R"(","parent":"{\"id\":\")" + parent +
                    R"(\",\"queueKey\":\"bull:up\"}")" + further + "}"};
    }
    std::string pending(const std::string& parent = "p") const {
        return redis({"SMEMBERS", "bull:up:" + parent + ":dependencies"});
    }
};

TEST_CASE("a child is linked with its parent from both sides", "[integration][queue][script]") {
    child_fixture f;
    CHECK(f.add_child() == "1");
    CHECK(f.pending() == "bull:q:1");
    CHECK(f.field("1", "parentKey") == "bull:up:p");
    CHECK(f.field("1", "parent") == R"({"id":"p","queueKey":"bull:up"})");
    CHECK(f.events() == strings{"added 1 name=child", "waiting 1"});
}

TEST_CASE("without its parent a job does not get in, and takes no number", "[integration][queue][script]") {
    child_fixture f;
    auto words = f.words("", "gone");
    for (const auto& w : f.words("a", "p"))
        words.push_back(w);
    for (const auto& w : f.words("", "p"))
        words.push_back(w);
    CHECK(lines(f.script("add", words)) == strings{"-5", "a", "2"});
    CHECK(f.redis({"GET", f.key("id")}) == "2");
    CHECK(f.add_child("", "gone") == "-5");
    CHECK(f.redis({"GET", f.key("id")}) == "2");
}

TEST_CASE("a parent of the same call is seen", "[integration][queue][script]") {
    queue_fixture f;
    CHECK(lines(f.script(
              "add", {"p", "x", "1", "{}", "1", "0", "0", "L", "c", "x", "1", "{}", "1", "0", "0",
                      R"({"parentKey":"bull:q:p","parent":"{\"id\":\"p\",\"queueKey\":\"bull:q\"}"})"})) ==
          strings{"p", "c"});
    CHECK(f.members("p:dependencies") == std::set<std::string>{"bull:q:c"});
}

TEST_CASE("an existing job becomes the child of who asks, unless it has a parent",
          "[integration][queue][script]") {
    child_fixture f;
    f.redis({"HSET", "bull:up:other", "name", "x"});
    SECTION("without a parent") {
        f.add("c");
    }
    SECTION("with a parent that is gone") {
        f.add("c");
        f.redis({"HSET", f.key("c"), "parentKey", "bull:up:gone"});
    }
    SECTION("of the same parent") {
        f.add_child("c");
    }
    CHECK(f.add_child("c") == "c");
    CHECK(f.pending() == "bull:q:c");
    CHECK(f.field("c", "parentKey") == "bull:up:p");
    CHECK(f.events().back() == "duplicated c");
    f.clear_events();
    CHECK(f.add_child("c", "other") == "-7");
    CHECK(f.pending("other").empty());
    CHECK(f.events().empty());
}

TEST_CASE("an existing child that has completed hands its value over and frees its parent",
          "[integration][queue][script]") {
    child_fixture f;
    f.add("c");
    f.fetch("T", 1);
    f.script("finish_and_fetch",
             finish_words(2'000'000, {{"completed", "c", "T", "7", "", "", "", "", "0", ""}}));
    f.redis({"ZADD", "bull:up:waiting-children", "1", "p"});
    const bool has_other = GENERATE(false, true);
    if (has_other) f.redis({"SADD", "bull:up:p:dependencies", "bull:q:z"});
    CHECK(f.add_child("c") == "c");
    CHECK(f.redis({"HGET", "bull:up:p:processed", "bull:q:c"}) == "7");
    CHECK(f.redis({"LRANGE", "bull:up:wait", "0", "-1"}) == (has_other ? "" : "p"));
}

task<void> add_children(queue::queue& q, strings& seen) {
    job_options o;
    o.parent = parent_options{"p", "bull:up"};
    o.fail_parent_on_failure = true;
    seen.push_back(co_await q.add({"child", "1", o}));
    o.parent->id = "gone";
    try {
        co_await q.add({"child", "1", o});
    } catch (const system_error& e) {
        CHECK(e.code() == queue::errc::parent_not_found);
        seen.emplace_back(e.what());
    }
    std::vector<new_job> jobs{{"child", "1", o}, {"plain", "1"}};
    const auto results = co_await q.add_bulk(std::move(jobs));
    CHECK(results.at(0).error() == queue::errc::parent_not_found);
    seen.push_back(results.at(1).value());
}

TEST_CASE("a job is added under a parent with its failure policy", "[integration][queue]") {
    child_fixture f;
    strings seen;
    f.with_queue([&](queue::queue& q) { return add_children(q, seen); });
    REQUIRE(seen.size() == 3);
    CHECK(seen[0] == "1");
    CHECK(seen[1].find("bull:up:gone") != std::string::npos);
    CHECK(seen[2] == "2");
    CHECK(f.field("1", "parent") == R"({"id":"p","queueKey":"bull:up","fpof":true})");
    CHECK(f.field("1", "opts") == R"({"attempts":0,"fpof":true,"parent":{"id":"p","queue":"bull:up"}})");
}

TEST_CASE("a child does not get in under a parent that the same call refuses",
          "[integration][queue][script]") {
    child_fixture f;
    const auto under = [&](const std::string& id, const std::string& parent) {
        auto words = f.words(id, parent);
        words[7] = R"({"parentKey":"bull:q:)" + parent + R"(","parent":"{}"})";
        return words;
    };
    strings words, child = under("k", "p");
    SECTION("its own parent does not exist") {
        words = f.words("p", "gone");
        words.insert(words.end(), child.begin(), child.end());
        CHECK(lines(f.script("add", words)) == strings{"-5", "-5"});
    }
    SECTION("deduplication suppresses it") {
        f.add("owner");
        f.redis({"SET", f.key("de:dd"), "owner"});
        words = {"p", "a", "1", "{}", "1000000", "0", "0", R"({"de":{"id":"dd"}})"};
        words.insert(words.end(), child.begin(), child.end());
        CHECK(lines(f.script("add", words)) == strings{"owner", "-5"});
    }
    SECTION("its group is full") {
        f.redis({"ZADD", f.key("group:a:wait"), "1", "other"});
        words = {"p", "a", "1", "{}", "1000000", "0", "0", R"({"group":{"id":"a","maxSize":1}})"};
        words.insert(words.end(), child.begin(), child.end());
        CHECK(lines(f.script("add", words)) == strings{"-12", "-5"});
    }
    CHECK_FALSE(f.exists("k"));
    CHECK_FALSE(f.exists("p:dependencies"));
}

} // namespace
} // namespace tiktrend::testing
