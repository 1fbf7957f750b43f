#include "worker_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace tiktrend::testing {
namespace {

using queue::active_job;
using queue::job_options;
using queue::job_state;
using kind = queue::worker_options::outcome::kind;

task<std::string> nothing(active_job&) {
    co_return std::string{};
}

TEST_CASE("a paused worker takes nothing while its running job goes on, until it resumes",
          "[integration][queue][worker]") {
    worker_fixture f;
    bool may_end = false;
    strings ran;
    queue::worker_options options;
    options.concurrency = 2;
    options.drain_delay = 50ms;
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            ran.push_back(job.id());
            while (!may_end)
                co_await sleep_for(1ms);
            co_return std::string{};
        },
        [&](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1"});
            co_await w.until([&] { return ran.size() == 1; });
            w.worker().pause();
            w.worker().pause(); // twice is fine
            CHECK(w.worker().is_paused());
            co_await w.queue().add({"a", "1"});
            const auto now = std::chrono::steady_clock::now();
            CHECK_FALSE(co_await w.worker().wait_idle(now + 150ms)); // several drain delays
            CHECK(ran.size() == 1);
            CHECK(w.list("wait") == strings{"2"});
            may_end = true;
            co_await w.outcomes(1);
            CHECK(w.seen()[0].what == kind::completed);
            CHECK(co_await w.worker().wait_idle(std::chrono::steady_clock::now() + 5s));
            CHECK(ran.size() == 1);
            w.worker().resume();
            co_await w.outcomes(2);
        });
    CHECK(ran == strings{"1", "2"});
    CHECK(f.field("2", "ats") == "1");
}

TEST_CASE("a job cancelled without a reason is cancelled all the same", "[integration][queue][worker]") {
    worker_fixture f;
    f.add("a", "0", "0", 1'000'000, "L", R"({"attempts":3})");
    bool runs = false;
    std::string reason;
    f.run(
        {},
        [&](active_job& job) -> task<std::string> {
            runs = true;
            while (!job.should_stop())
                co_await sleep_for(1ms);
            reason = job.stop_reason();
            co_return std::string{};
        },
        [&](worker_fixture& w) -> task<void> {
            co_await w.until([&] { return runs; });
            CHECK(w.worker().cancel("a", ""));
            co_await w.outcomes(1);
        });
    CHECK(f.count(kind::failed) == 1);
    CHECK(f.field("a", "failedReason") == "cancelled");
}

TEST_CASE("all running jobs can be cancelled at once, and threads see it through a stop token",
          "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.concurrency = 3;
    std::vector<std::stop_token> tokens;
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            tokens.push_back(job.stop_token());
            CHECK_FALSE(tokens.back().stop_requested());
            co_await sleep_for(20s);
            co_return std::string{};
        },
        [&](worker_fixture& w) -> task<void> {
            std::vector<queue::new_job> jobs(3);
            for (auto& j : jobs)
                j.options.attempts = 5;
            co_await w.queue().add_bulk(std::move(jobs));
            co_await w.until([&] { return tokens.size() == 3; });
            CHECK(w.worker().cancel_all("no more") == 3);
            CHECK(w.worker().cancel_all("again") == 0);
            co_await w.outcomes(3);
        });
    CHECK(f.count(kind::failed) == 3);
    CHECK(f.field("2", "failedReason") == "no more");
    for (const auto& t : tokens)
        CHECK(t.stop_requested());
}

TEST_CASE("a job that asks for its stop token late finds it requested", "[integration][queue][worker]") {
    worker_fixture f;
    bool was_requested = false;
    f.run(
        {},
        [&](active_job& job) -> task<std::string> {
            try {
                co_await sleep_for(20s);
            } catch (const system_error&) {
                was_requested = job.stop_token().stop_requested();
            }
            co_return "1"; // a value is taken all the same
        },
        [&](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1"});
            co_await w.until([&] { return w.worker().active() == 1; });
            CHECK(w.worker().cancel("1", "no"));
            co_await w.outcomes(1);
        });
    CHECK(was_requested);
    CHECK(f.seen()[0].what == kind::completed);
}

TEST_CASE("a processor that meets a rate limit gives its job back and the worker rests",
          "[integration][queue][worker]") {
    worker_fixture f;
    std::vector<std::chrono::steady_clock::time_point> starts;
    f.run(
        {},
        [&](active_job& job) -> task<std::string> {
            starts.push_back(std::chrono::steady_clock::now());
            if (starts.size() == 1) {
                co_await job.rate_limit(300ms);
                throw queue::rate_limited_error();
            }
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1"});
            co_await w.queue().add({"b", "1"});
            co_await w.outcomes(3);
        });
    REQUIRE(starts.size() == 3);
    CHECK(starts[1] - starts[0] >= 290ms); // for every job, though this worker has no limit of its own
    CHECK(f.seen()[0].what == kind::released);
    CHECK(f.seen()[1].id == "1"); // it kept its place
    CHECK(f.field("1", "atm") == "1");
    CHECK(f.field("1", "ats") == "2");
}

TEST_CASE("a worker rests at most as long as it is told because of a rate limit",
          "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.limiter_max = 1;
    options.limiter_duration = 60s;
    options.maximum_rate_limit_delay = 50ms;
    f.run(options, nothing, [](worker_fixture& w) -> task<void> {
        co_await w.queue().add({"a", "1"});
        co_await w.queue().add({"b", "1"});
        co_await w.outcomes(1);
        w.redis({"DEL", w.key("limiter")}); // removeRateLimitKey: nobody tells the worker
        co_await w.outcomes(2);
    });
}

TEST_CASE("the limit of all workers has precedence over the worker's own", "[integration][queue][worker]") {
    worker_fixture f;
    f.redis({"HSET", f.key("meta"), "max", "1", "duration", "60000"});
    queue::worker_options options;
    options.concurrency = 10;
    options.limiter_max = 1000;
    options.limiter_duration = 200ms; // the window is the worker's, as upstream
    const auto begin = std::chrono::steady_clock::now();
    f.run(options, nothing, [](worker_fixture& w) -> task<void> {
        std::vector<queue::new_job> jobs(3);
        co_await w.queue().add_bulk(std::move(jobs));
        co_await w.outcomes(3);
    });
    CHECK(std::chrono::steady_clock::now() - begin >= 390ms);
}

TEST_CASE("a job waits for children that it added while it ran, and then sees their results",
          "[integration][queue][worker]") {
    worker_fixture f;
    int runs = 0;
    queue::child_results values, ignored;
    f.run(
        {},
        [&](active_job& job) -> task<std::string> {
            if (job.record().name == "child") co_return R"({"done":true})";
            if (++runs == 1) {
                f.add("c1");
                f.redis({"HSET", f.key("c1"), "name", "child", "parentKey", f.key(job.id()), "parent",
                         R"({"id":")" + job.id() + R"(","queueKey":"bull:q"})"});
                f.redis({"SADD", f.key(job.id() + ":dependencies"), f.key("c1")});
                if (co_await job.move_to_waiting_children()) throw queue::waiting_children_error();
                FAIL("nothing to wait for");
            }
            values = co_await job.children_values();
            ignored = co_await job.ignored_children_failures();
            CHECK_FALSE(co_await job.move_to_waiting_children());
            co_return "2";
        },
        [&](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"parent", "1"});
            co_await w.outcomes(3);
            CHECK((co_await w.queue().get_job_and_state("1"))->second == job_state::completed);
        });
    CHECK(runs == 2);
    REQUIRE(values.size() == 1);
    CHECK(values[0] == std::pair<std::string, std::string>{"bull:q:c1", R"({"done":true})"});
    CHECK(ignored.empty());
    CHECK(f.seen()[0].what == kind::waiting_children);
    CHECK(f.field("1", "atm") == "1"); // waiting spent no attempt
    CHECK(f.count(kind::lost) == 0);
}

TEST_CASE("a job that has left for its children is left alone, however its processor ends",
          "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.lock_duration = 100ms;
    options.concurrency = 2;
    bool has_ended = false;
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            if (job.id() == "2") { // a job that is renewed
                co_await f.until([&] { return has_ended; });
                co_return std::string{};
            }
            f.redis({"SADD", f.key(job.id() + ":dependencies"), "bull:q:other"});
            CHECK(co_await job.move_to_waiting_children("bull:q:other"));
            for (int renewals = 0; renewals < 2; ++renewals) { // its lock lives longer than a moment ago
                auto left = std::stol(f.redis({"PTTL", f.key("2:lock")}));
                co_await f.until([&] {
                    const auto before = std::exchange(left, std::stol(f.redis({"PTTL", f.key("2:lock")})));
                    return left > before;
                });
            }
            CHECK_FALSE(job.should_stop());
            has_ended = true;
            throw std::runtime_error("forgot the right error");
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"parent", "1"});
            co_await w.queue().add({"other", "2"});
            co_await w.outcomes(2);
        });
    CHECK(f.seen()[0].what == kind::waiting_children);
    CHECK(f.sorted("waiting-children") == strings{"1"});
    CHECK(f.field("1", "failedReason") == "(nil)");
}

TEST_CASE("a job with failed children cannot wait for more", "[integration][queue][worker]") {
    worker_fixture f;
    error_code seen;
    f.run(
        {},
        [&](active_job& job) -> task<std::string> {
            f.redis({"ZADD", f.key(job.id() + ":unsuccessful"), "1", "bull:q:c"});
            try {
                co_await job.move_to_waiting_children();
            } catch (const system_error& e) {
                seen = e.code();
                throw;
            }
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"parent", "1"});
            co_await w.outcomes(1);
        });
    CHECK(seen == queue::errc::failed_children);
    CHECK(f.seen()[0].what == kind::failed);
}

TEST_CASE("a job without a group cannot limit its group", "[integration][queue][worker]") {
    worker_fixture f;
    f.run(
        {},
        [](active_job& job) -> task<std::string> {
            co_await job.rate_limit_group(1s);
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1"});
            co_await w.outcomes(1);
        });
    CHECK(f.field("1", "failedReason") == "job 1 has no group");
}

} // namespace
} // namespace tiktrend::testing
