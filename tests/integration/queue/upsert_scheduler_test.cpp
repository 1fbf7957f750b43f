#include "queue_fixture.hpp"

#include <tiktrend/queue/job_scheduler.hpp>

#include <boost/json.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::job_options;
using queue::job_schedulers;
using queue::job_template;
using queue::repeat_options;

constexpr std::int64_t minute = 60'000;

/// The schedulers of one queue with a clock of their own, at 1000000 ms.
class scheduler_fixture : public queue_fixture {
public:
    manual_clock clock{1'000'000};

    void with(std::function<task<void>(job_schedulers&)> work) {
        queue::queue_options options;
        options.clock = &clock;
        with_queue([&work](queue::queue& q) { return run(q, work); }, options);
    }

    /// One upsert; "id delay", "none" or the message of the refusal.
    std::string upsert(const std::string& id, repeat_options repeat, job_template jobs = {}) {
        std::string out;
        with([&](job_schedulers& s) { return upsert_into(s, id, repeat, jobs, out); });
        return out;
    }
    static repeat_options every(std::int64_t ms) {
        repeat_options r;
        r.every = std::chrono::milliseconds{ms};
        return r;
    }
    static repeat_options cron(std::string pattern, std::string tz = {}) {
        repeat_options r;
        r.pattern = std::move(pattern);
        r.tz = std::move(tz);
        return r;
    }

private:
    static task<void> upsert_into(job_schedulers& s, const std::string& id, const repeat_options& repeat,
                                  const job_template& jobs, std::string& out) {
        try {
            const auto made = co_await s.upsert(id, repeat, jobs);
            out = made ? made->id + " " + std::to_string(made->delay.count()) : "none";
        } catch (const system_error& e) {
            out = e.what();
        }
    }
    static task<void> run(queue::queue& q, std::function<task<void>(job_schedulers&)>& work) {
        job_schedulers schedulers{q};
        co_await work(schedulers);
    }
};

boost::json::object json_of(const std::string& text) {
    return boost::json::parse(text).as_object();
}

TEST_CASE("a scheduler with an interval makes its first job at once", "[integration][queue][scheduler]") {
    scheduler_fixture f;
    job_options o;
    o.attempts = 2;
    o.remove_on_complete = queue::keep_policy::none();
    auto rule = f.every(minute);
    rule.limit = 5;
    CHECK(f.upsert("ev", rule, {"tick", R"({"a":1})", o}) == "repeat:ev:1000000 0");
    CHECK(f.hash("repeat:ev") == dump{{"name", "tick"},
                                      {"every", "60000"},
                                      {"limit", "5"},
                                      {"offset", "40000"}, // 1000000 is 40 s after a full minute
                                      {"opts", R"({"attempts":2,"removeOnComplete":true})"},
                                      {"data", R"({"a":1})"},
                                      {"ic", "1"}});
    CHECK(f.score("repeat", "ev") == "1000000");
    CHECK(f.list("wait") == strings{"repeat:ev:1000000"});
    const auto job = f.hash("repeat:ev:1000000");
    CHECK(job.at("rjk") == "ev");
    CHECK(job.at("name") == "tick");
    CHECK(job.at("data") == R"({"a":1})");
    CHECK(json_of(job.at("opts")) ==
          json_of(R"({"attempts":2,"removeOnComplete":true,"repeat":{"count":1,"every":60000,"limit":5},)"
                  R"("timestamp":1000000,"repeatJobKey":"ev","jobId":"repeat:ev:1000000","delay":0})"));
    CHECK(f.events() == strings{"added repeat:ev:1000000 name=tick", "waiting repeat:ev:1000000"});
    CHECK(f.redis({"GET", f.key("id")}) == "1");
}

TEST_CASE("a start, and an offset, say when the first job is due", "[integration][queue][scheduler]") {
    scheduler_fixture f;
    auto late = f.every(minute);
    late.start_ms = 1'500'000;
    CHECK(f.upsert("late", late) == "repeat:late:1500000 500000");
    CHECK(f.field("repeat:late", "startDate") == "1500000");
    auto shifted = f.every(minute);
    shifted.offset = 5s;
    CHECK(f.upsert("shifted", shifted) == "repeat:shifted:1025000 25000"); // 965000 has passed
    CHECK(f.field("repeat:shifted", "offset") == "5000");
    CHECK(f.field("repeat:shifted", "name") == "shifted");
    CHECK(json_of(f.field("repeat:shifted:1025000", "opts")).at("repeat").at("offset") == 5000);
}

TEST_CASE("an unchanged interval keeps the time of the pending job", "[integration][queue][scheduler]") {
    scheduler_fixture f;
    auto rule = f.every(minute);
    rule.start_ms = 1'500'000;
    f.upsert("ev", rule, {"old"});
    const auto place = GENERATE("delayed", "wait", "paused", "prioritized");
    CAPTURE(place);
    const std::string id = "repeat:ev:1500000", list{place};
    if (list != "delayed") {
        f.redis({"DEL", f.key("delayed")});
        if (list == "prioritized")
            f.redis({"ZADD", f.key("prioritized"), "1", id});
        else
            f.redis({"LPUSH", f.key(list), id});
    }
    if (GENERATE(false, true)) f.redis({"HSET", f.key("meta"), "paused", "1"}); // in whichever list it is
    f.redis({"HSET", f.key("repeat:ev"), "ic", "7"});
    f.clock.advance(10s);
    CHECK(f.upsert("ev", f.every(minute), {"new"}) == "repeat:ev:1500000 490000");
    CHECK(f.field("repeat:ev:1500000", "name") == "new");
    CHECK(f.field("repeat:ev", "ic") == "7");
    CHECK(f.sorted("delayed") == strings{id});
    CHECK_FALSE(f.exists("wait"));
    CHECK_FALSE(f.exists("paused"));
    CHECK_FALSE(f.exists("prioritized"));
}

TEST_CASE("a changed interval starts anew, with an offset of its own", "[integration][queue][scheduler]") {
    scheduler_fixture f;
    auto rule = f.every(minute);
    rule.start_ms = 1'500'123;
    f.upsert("ev", rule);
    CHECK(f.field("repeat:ev", "offset") == "123");
    f.clock.set(1'234'567);
    CHECK(f.upsert("ev", f.every(1000)) == "repeat:ev:1234567 0");
    CHECK(f.field("repeat:ev", "offset") == "567");
    CHECK_FALSE(f.exists("delayed"));
    CHECK_FALSE(f.exists("repeat:ev:1500123"));
}

TEST_CASE("jobs that run or have finished are not touched", "[integration][queue][scheduler]") {
    scheduler_fixture f;
    f.upsert("ev", f.every(minute));
    f.fetch("T", 1);
    f.clock.advance(1s);
    CHECK(f.upsert("ev", f.every(minute)) == "repeat:ev:1060000 59000");
    CHECK(f.list("active") == strings{"repeat:ev:1000000"});
    SECTION("the next free slot is taken") {
        f.upsert("other", f.every(minute));
        for (int i = 1; i < 32; ++i)
            f.redis({"HSET", f.key("repeat:other:" + std::to_string(1'001'000 + i * minute)), "name", "x"});
        f.fetch("U", 1);
        CHECK(f.upsert("other", f.every(minute)) == "repeat:other:2921000 1920000"); // the 32nd after
        f.redis({"DEL", f.key("delayed")});
        f.redis({"ZADD", f.key("repeat"), "1001000", "other"});
        f.redis({"HSET", f.key("repeat:other:2981000"), "name", "x"});
        const auto before = f.hash("repeat:other");
        CHECK(f.upsert("other", f.every(minute)).find("next slots have jobs already") != std::string::npos);
        CHECK(f.hash("repeat:other") == before);
        CHECK(f.score("repeat", "other") == "1001000");
    }
    SECTION("a pattern has one slot") {
        f.upsert("c", f.cron("* * * * *"));
        f.redis({"DEL", f.key("delayed")}); // as if it ran
        CHECK(f.upsert("c", f.cron("* * * * *")).find("next job exists already") != std::string::npos);
    }
}

TEST_CASE("a pattern's job is due at its local time", "[integration][queue][scheduler]") {
    scheduler_fixture f;
    f.clock.set(1'795'453'798'223);
    auto rule = f.cron("0 0 3 * * *", "Europe/Madrid");
    rule.end_ms = 1'800'000'000'000;
    CHECK(f.upsert("c", rule, {"c", R"({"z":1})"}) == "repeat:c:1795485600000 31801777");
    CHECK(f.hash("repeat:c") == dump{{"name", "c"},
                                     {"tz", "Europe/Madrid"},
                                     {"pattern", "0 0 3 * * *"},
                                     {"endDate", "1800000000000"},
                                     {"offset", "0"},
                                     {"data", R"({"z":1})"},
                                     {"ic", "1"}});
    CHECK(json_of(f.field("repeat:c:1795485600000", "opts")) ==
          json_of(
              R"({"repeat":{"count":1,"pattern":"0 0 3 * * *","tz":"Europe/Madrid","endDate":1800000000000},)"
              R"("timestamp":1795453798223,"prevMillis":1795485600000,"repeatJobKey":"c",)"
              R"("jobId":"repeat:c:1795485600000","delay":31801777})"));
    rule = f.cron("0 0 3 * * *");
    rule.immediately = true;
    CHECK(f.upsert("now", rule) == "repeat:now:1795453798223 0");
    rule = f.cron("0 0 30 4,6 *");
    rule.end_ms = f.clock.now_ms() + 1000;
    CHECK(f.upsert("ended", rule) == "none");
    CHECK(f.upsert("never", f.cron("0 0 31 4,6 *")) == "none");
    CHECK_FALSE(f.exists("repeat:ended"));
}

TEST_CASE("what Redis must not see is refused before", "[integration][queue][scheduler]") {
    scheduler_fixture f;
    const auto has = [](const std::string& text, const std::string& part) {
        INFO(text);
        return text.find(part) != std::string::npos;
    };
    CHECK(has(f.upsert("", f.every(1)), "scheduler id = \"\": expected 1 to 1000 bytes"));
    CHECK(has(f.upsert("a:12", f.every(1)), "scheduler id = \"a:12\": expected no colon and number"));
    CHECK(has(f.upsert("a", {}), "repeat.every = nothing: expected every or pattern"));
    CHECK(has(f.upsert("a", f.every(0)), "repeat.every = 0 ms: expected 1 to"));
    auto both = f.every(1000);
    both.pattern = "* * * * *";
    CHECK(has(f.upsert("a", both), "repeat.pattern = \"* * * * *\": expected none beside every"));
    auto outside = f.every(1000);
    outside.offset = 1s;
    CHECK(has(f.upsert("a", outside),
              "repeat.offset = 1000 ms: expected a time inside the interval of 1000 ms"));
    auto over = f.every(1000);
    over.end_ms = 999'999;
    CHECK(has(f.upsert("a", over), "repeat.end_ms = 999999: expected a time after now, 1000000"));
    auto none = f.every(1000);
    none.limit = 0;
    CHECK(has(f.upsert("a", none), "repeat.limit = 0: expected 1 or more"));
    CHECK(has(f.upsert("a", f.cron("61 * * * *")), "minute \"61\""));
    CHECK(has(f.upsert("a", f.cron("* * * * *", "Mars")), "repeat.tz = \"Mars\": expected a time zone"));
    auto hasty = f.cron("* * * * *");
    hasty.immediately = true;
    hasty.start_ms = 2'000'000;
    CHECK(has(f.upsert("a", hasty), "repeat.start_ms = 2000000: expected none beside immediately"));
    job_options o;
    o.id = "x";
    CHECK(has(f.upsert("a", f.every(1000), {"n", "{}", o}), "template.id = \"x\": expected none"));
    CHECK(has(f.upsert("a", f.every(1000), {"n", "{"}), "template.data = \"{\": expected one JSON text"));
    o = {};
    o.priority = -1;
    CHECK(has(f.upsert("a", f.every(1000), {"n", "{}", o}), "template.priority = -1: expected"));
    CHECK(f.keys().empty());
}

task<void> administer(job_schedulers& s) {
    co_await s.upsert("a", scheduler_fixture::every(minute), {"tick", "1"});
    auto later = scheduler_fixture::every(minute);
    later.start_ms = 3'000'000;
    co_await s.upsert("b", later);
    later.start_ms = 2'000'000;
    co_await s.upsert("c:x", later);
    CHECK(co_await s.count() == 3);
    const auto names = [](const std::vector<queue::scheduler_record>& all) {
        std::string out;
        for (const auto& r : all)
            out += r.id + " ";
        return out;
    };
    CHECK(names(co_await s.list()) == "b c:x a ");
    CHECK(names(co_await s.list(0, -1, true)) == "a c:x b ");
    CHECK(names(co_await s.list(1, 1, true)) == "c:x ");
    const auto a = co_await s.get("a");
    REQUIRE(a);
    CHECK(a->name == "tick");
    CHECK(a->data == "1");
    CHECK(a->every_ms == minute);
    CHECK(a->next_ms == 1'000'000);
    CHECK(a->iteration_count == 1);
    CHECK_FALSE(a->is_legacy);
    CHECK_FALSE(co_await s.get("z"));
    CHECK(co_await s.remove("a"));
    CHECK(co_await s.remove("b"));
    CHECK_FALSE(co_await s.remove("b"));
    CHECK(co_await s.count() == 1);
}

TEST_CASE("schedulers are listed by their next time and removed", "[integration][queue][scheduler]") {
    scheduler_fixture f;
    f.with(administer);
    CHECK(f.list("wait") == strings{"repeat:a:1000000"}); // it waits already: left alone
    CHECK_FALSE(f.exists("repeat:b:3000000"));
    CHECK(f.events().back() == "removed repeat:b:3000000 prev=delayed");
    f.redis({"HSET", f.key("repeat:0123456789abcdef"), "name", "old", "pattern", "* * * * *"});
    f.redis({"ZADD", f.key("repeat"), "5", "0123456789abcdef"});
    f.with([](job_schedulers& s) -> task<void> {
        const auto old = co_await s.get("0123456789abcdef");
        REQUIRE(old);
        CHECK(old->is_legacy);
    });
}

} // namespace
} // namespace tiktrend::testing
