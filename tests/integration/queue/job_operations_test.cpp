// job_operations on a real server.
#include "queue_fixture.hpp"
#include "refusals.hpp"

#include <tiktrend/queue/job_operations.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::errc;
using queue::failure_outcome;
using queue::job_operations;
using queue::job_state;
using queue::lock_token;

/// A queue whose clock stands still, with the active jobs a, b, c, … under the lock T.
struct active_jobs : queue_fixture {
    manual_clock clock{1'000'000};
    queue::queue_options options;
    explicit active_jobs(int n, const std::string& opts = R"({"attempts":0})") {
        options.clock = &clock;
        for (int i = 0; i < n; ++i)
            add(std::string(1, static_cast<char>('a' + i)), "0", "0", 1'000'000, "L", opts);
        fetch("T", n);
        clear_events();
    }
};

TEST_CASE("a job is moved by hand by whoever holds its lock", "[integration][queue]") {
    active_jobs f{5};
    f.with_queue(
        [](queue::queue& q) -> task<void> {
            job_operations ops{q};
            const lock_token mine{"T"};
            CHECK(co_await is_refused(ops.move_to_completed("a", "1", lock_token{"X"}), errc::lock_mismatch));
            CHECK(co_await ops.is_active("a"));
            co_await ops.move_to_completed("a", R"({"n":1})", mine);
            CHECK(co_await ops.is_completed("a"));
            CHECK(co_await is_refused(ops.move_to_completed("a", "1", mine), errc::lock_not_found));
            CHECK(co_await is_refused(ops.move_to_completed("a", "1", lock_token::none()),
                                      errc::job_not_in_state));
            CHECK(co_await is_refused(ops.move_to_completed("nobody", "1", mine), errc::job_not_found));
            CHECK((co_await ops.move_to_failed("b", "bad", mine)) == failure_outcome::failed);
            CHECK(co_await ops.is_failed("b"));
            co_await ops.move_to_delayed("c", 1'060'000, mine);
            CHECK(co_await ops.is_delayed("c"));
            co_await ops.move_to_wait("d", mine);
            CHECK(co_await ops.is_waiting("d"));
            CHECK_FALSE(co_await ops.move_to_waiting_children("e", mine));
        },
        f.options);
    CHECK(f.field("a", "returnvalue") == R"({"n":1})");
    CHECK(f.field("a", "finishedOn") == "1000000");
    CHECK(f.field("b", "failedReason") == "bad");
    CHECK(f.hash("c").count("atm") == 0);
    CHECK(f.field("c", "delay") == "60000");
    CHECK(f.list("active") == strings{"e"});
    CHECK(f.events() == strings{"completed a returnvalue={\"n\":1} prev=active",
                                "failed b failedReason=bad prev=active", "retries-exhausted b attemptsMade=1",
                                "delayed c delay=1060000", "waiting d prev=active"});
}

TEST_CASE("a failure by hand is tried again as the job's options say", "[integration][queue]") {
    active_jobs f{4, R"({"attempts":3,"backoff":{"type":"fixed","delay":5000},"removeOnFail":true})"};
    f.redis({"HSET", f.key("b"), "opts", R"({"attempts":2})"});
    f.redis({"HSET", f.key("d"), "opts", R"({"attempts":2,"backoff":{"type":"own"}})"});
    f.with_queue(
        [](queue::queue& q) -> task<void> {
            job_operations ops{q};
            const lock_token mine{"T"};
            CHECK((co_await ops.move_to_failed("a", "bad", mine)) == failure_outcome::delayed);
            CHECK((co_await ops.move_to_failed("b", "bad", mine)) == failure_outcome::waiting);
            CHECK((co_await ops.move_to_failed("c", "bad", mine, true)) == failure_outcome::failed);
            const queue::backoff_strategy custom = [](const queue::failed_attempt& a) {
                CHECK(a.job.id == "d");
                CHECK(a.message == "bad");
                return std::chrono::milliseconds{a.type == "own" ? 77 : -1};
            };
            CHECK((co_await ops.move_to_failed("d", "bad", mine, false, custom)) == failure_outcome::delayed);
        },
        f.options);
    CHECK(f.field("a", "delay") == "5000");
    CHECK(f.field("a", "atm") == "1");
    CHECK(f.field("d", "delay") == "77");
    CHECK(f.field("b", "stacktrace") == R"(["bad"])");
    CHECK_FALSE(f.exists("c")); // removeOnFail
}

TEST_CASE("a parent cannot complete while a child is open, and waits for it by hand",
          "[integration][queue]") {
    active_jobs f{2};
    f.redis({"SADD", f.key("a:dependencies"), f.key("kid")});
    f.redis({"ZADD", f.key("b:unsuccessful"), "1", f.key("kid")});
    f.with_queue(
        [](queue::queue& q) -> task<void> {
            job_operations ops{q};
            const lock_token mine{"T"};
            CHECK(co_await is_refused(ops.move_to_completed("a", "1", mine), errc::pending_dependencies));
            CHECK(co_await is_refused(ops.move_to_completed("b", "1", mine), errc::failed_children));
            CHECK(co_await is_refused(drop(ops.move_to_waiting_children("b", mine)), errc::failed_children));
            CHECK(co_await ops.move_to_waiting_children("a", mine));
            CHECK(co_await ops.is_waiting_children("a"));
        },
        f.options);
}

TEST_CASE("a lock is extended by its owner only", "[integration][queue]") {
    active_jobs f{1};
    f.redis({"SADD", f.key("stalled"), "a"});
    f.with_queue(
        [](queue::queue& q) -> task<void> {
            job_operations ops{q};
            co_await ops.extend_lock("a", lock_token{"T"}, 600s);
            CHECK(co_await is_refused(ops.extend_lock("a", lock_token{"X"}, 600s), errc::lock_mismatch));
            CHECK(
                co_await is_refused(ops.extend_lock("nobody", lock_token{"T"}, 600s), errc::lock_not_found));
        },
        f.options);
    CHECK(std::stoll(f.redis({"PTTL", f.key("a:lock")})) > 500'000);
    CHECK_FALSE(f.exists("stalled"));
}

TEST_CASE("operations on a waiting, delayed or finished job", "[integration][queue]") {
    active_jobs f{2};
    f.with_queue(
        [](queue::queue& q) -> task<void> {
            job_operations ops{q};
            queue::job_options later;
            later.delay = 60s;
            const auto id = co_await q.add({"n", "1", later});
            co_await ops.change_delay(id, 5s);
            CHECK((co_await q.get_job(id))->delay_ms == 5000);
            queue::priority_change p;
            p.priority = 9;
            co_await ops.change_priority(id, p);
            co_await q.promote(id);
            CHECK((co_await q.get_state(id)) == job_state::prioritized);
            CHECK(co_await ops.is_waiting(id));
            CHECK(co_await is_refused(ops.change_delay(id, 5s), errc::job_not_in_state));
            for (const char* row : {"1", "2", "3"})
                co_await q.add_log(id, row);
            co_await ops.clear_logs(id, 2);
            CHECK((co_await q.logs(id)).rows == strings{"2", "3"});
            co_await ops.clear_logs(id);
            CHECK((co_await q.logs(id)).count == 0);

            co_await ops.move_to_failed("a", "bad", lock_token{"T"});
            queue::retry_options retry;
            retry.reset_attempts_made = true;
            retry.reset_attempts_started = true;
            co_await ops.retry("a", retry);
            const auto job = co_await q.get_job("a");
            CHECK(job->attempts_made == 0);
            CHECK(job->attempts_started == 0);
            CHECK(co_await is_refused(ops.retry("a", retry), errc::job_not_in_state));
            CHECK_FALSE(co_await ops.remove("b")); // active
            CHECK(co_await ops.remove(id));
            CHECK(co_await is_refused(drop(ops.remove(id)), errc::job_not_found));
            CHECK((co_await ops.remove_unprocessed_children("a")) == 0);
            CHECK_FALSE(co_await ops.remove_child_dependency("a"));
            CHECK_FALSE(co_await ops.remove_deduplication_key("a"));
        },
        f.options);
}

TEST_CASE("what would corrupt a job is refused before Redis is touched", "[integration][queue]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        co_await q.initialize();
        job_operations ops{q};
        const lock_token mine{"T"};
        for (const char* id : {"", "meta", "events", "5:lock", "5:logs", "de:x", "dn:x", "metrics:failed",
                               "repeat:ev", "repeat:a:b"}) {
            CHECK((co_await refusal(ops.change_delay(id, 1s))).starts_with("job id = "));
            CHECK((co_await refusal(ops.change_priority(id, {}))).starts_with("job id = "));
            CHECK((co_await refusal(q.update_data(id, "1"))).starts_with("job id = "));
            CHECK((co_await refusal(q.update_progress(id, "1"))).starts_with("job id = "));
            CHECK((co_await refusal(drop(q.add_log(id, "1")))).starts_with("job id = "));
            CHECK((co_await refusal(q.promote(id))).starts_with("job id = "));
            CHECK((co_await refusal(drop(q.remove(id)))).starts_with("job id = "));
            CHECK((co_await refusal(q.retry(id, job_state::failed))).starts_with("job id = "));
            CHECK((co_await refusal(ops.move_to_completed(id, "1", mine))).starts_with("job id = "));
        }
        CHECK((co_await refusal(ops.change_delay("a", -1ms))) ==
              "delay = -1: expected a whole number from 0 to 315360000000");
        queue::priority_change p;
        p.priority = 2'097'152;
        CHECK((co_await refusal(ops.change_priority("a", p))) ==
              "priority = 2097152: expected a whole number from 0 to 2097151");
        CHECK((co_await refusal(ops.move_to_completed("a", "{", mine))) ==
              "value = \"{\": expected one JSON text in UTF-8");
        CHECK((co_await refusal(q.update_data("a", "nope"))) ==
              "data = \"nope\": expected one JSON text in UTF-8");
        CHECK((co_await refusal(ops.clear_logs("a", -1))).starts_with("keep = -1"));
        CHECK((co_await refusal(drop(q.add_log("a", "r", -1)))).starts_with("keep = -1"));
        CHECK((co_await refusal(ops.extend_lock("a", mine, 0ms))).starts_with("duration = 0"));
        CHECK((co_await refusal(ops.move_to_delayed("a", -1, mine))).starts_with("until = -1"));
        queue::retry_options active;
        active.from = job_state::active;
        CHECK((co_await refusal(ops.retry("a", active))) == "from = active: expected completed or failed");
    });
    CHECK(f.keys() == std::set<std::string>{"meta"});
}

TEST_CASE("the link to a parent is read from the job", "[integration][queue]") {
    queue::job_record job;
    CHECK_FALSE(queue::parent_of(job));
    job.parent = R"({"id":"p1","queueKey":"bull:P","fpof":true})";
    const auto link = queue::parent_of(job);
    REQUIRE(link);
    CHECK(link->id == "p1");
    CHECK(link->queue_key == "bull:P");
    CHECK(link->fail_parent);
    CHECK_FALSE(link->continue_parent);
    for (const char* broken : {"{", "[]", R"({"id":"p"})", R"({"id":1,"queueKey":"b"})"}) {
        job.parent = broken;
        CHECK_FALSE(queue::parent_of(job));
    }
}

} // namespace
} // namespace tiktrend::testing
