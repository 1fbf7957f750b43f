// How jobs end: attempts, errors of processors, children, cancellation.
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

job_options attempts(std::int32_t n, std::chrono::milliseconds pause = 0ms) {
    job_options o;
    o.attempts = n;
    if (pause.count() > 0) o.backoff = queue::backoff_options{"fixed", pause, 0};
    return o;
}

TEST_CASE("a failed attempt is tried again after its pause, until it succeeds",
          "[integration][queue][worker]") {
    worker_fixture f;
    std::vector<std::chrono::steady_clock::time_point> starts;
    f.run(
        {},
        [&](active_job& job) -> task<std::string> {
            starts.push_back(std::chrono::steady_clock::now());
            CHECK(job.record().attempts_made == static_cast<std::int32_t>(starts.size()) - 1);
            CHECK(job.record().attempts_started == static_cast<std::int32_t>(starts.size()));
            if (starts.size() < 3) throw std::runtime_error("attempt " + std::to_string(starts.size()));
            co_return "1";
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1", attempts(3, 50ms)});
            co_await w.outcomes(3);
            const auto job = co_await w.queue().get_job("1");
            REQUIRE(job);
            CHECK(job->attempts_made == 3);
            CHECK(job->failed_reason == "attempt 2");
            CHECK(job->stacktrace == strings{"attempt 1", "attempt 2"});
        });
    REQUIRE(starts.size() == 3);
    CHECK(starts[1] - starts[0] >= 45ms);
    CHECK(starts[2] - starts[1] >= 45ms);
    CHECK(f.seen()[0].what == kind::retried);
    CHECK(f.seen()[0].reason == "attempt 1");
    CHECK(f.seen()[2].what == kind::completed);
    const auto events = f.events();
    CHECK(std::count_if(events.begin(), events.end(),
                        [](const auto& e) { return e.starts_with("delayed 1"); }) == 2);
    CHECK(std::count_if(events.begin(), events.end(),
                        [](const auto& e) { return e.starts_with("failed"); }) == 0);
}

TEST_CASE("a job fails for good when its attempts are used up or the error says so",
          "[integration][queue][worker]") {
    worker_fixture f;
    f.run(
        {},
        [](active_job& job) -> task<std::string> {
            if (job.record().name == "fatal") throw queue::unrecoverable_error("wrong data");
            if (job.record().name == "text") co_return "not JSON";
            throw std::runtime_error("again");
        },
        [](worker_fixture& w) -> task<void> {
            auto limited = attempts(3);
            limited.stack_trace_limit = 1;
            co_await w.queue().add({"again", "1", limited});
            co_await w.outcomes(3);
            co_await w.queue().add({"fatal", "1", attempts(5)});
            co_await w.queue().add({"text", "1"});
            co_await w.outcomes(5);
            const auto again = co_await w.queue().get_job_and_state("1");
            REQUIRE(again);
            CHECK(again->second == job_state::failed);
            CHECK(again->first.attempts_made == 3);
            CHECK(again->first.stacktrace == strings{"again"});
            const auto fatal = co_await w.queue().get_job_and_state("2");
            CHECK(fatal->second == job_state::failed);
            CHECK(fatal->first.attempts_made == 1);
            CHECK(fatal->first.failed_reason == "wrong data");
            const auto text = co_await w.queue().get_job_and_state("3");
            CHECK(text->second == job_state::failed);
            CHECK(text->first.failed_reason == "the processor's return value is not JSON");
        });
    CHECK(f.count(kind::retried) == 2);
    CHECK(f.count(kind::failed) == 3);
    const auto events = f.events();
    CHECK(std::count(events.begin(), events.end(), "retries-exhausted 1 attemptsMade=3") == 1);
    CHECK(std::count_if(events.begin(), events.end(),
                        [](const auto& e) { return e.starts_with("retries-exhausted 2"); }) == 0);
}

TEST_CASE("a processor may delay its job or give it back", "[integration][queue][worker]") {
    worker_fixture f;
    int runs = 0;
    f.run(
        {},
        [&](active_job& job) -> task<std::string> {
            ++runs;
            if (runs == 1) throw queue::delayed_error(system_wall_clock().now_ms() + 50, "not yet");
            if (runs == 2) throw queue::released_error("busy");
            CHECK(job.record().attempts_made == 0);
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1"});
            co_await w.outcomes(3);
            const auto job = co_await w.queue().get_job("1");
            CHECK(job->attempts_made == 1);
            CHECK(job->attempts_started == 3);
            CHECK(job->failed_reason.empty());
        });
    CHECK(f.seen()[0].what == kind::delayed);
    CHECK(f.seen()[1].what == kind::released);
    CHECK(f.seen()[2].what == kind::completed);
}

TEST_CASE("a job that others marked as failed is failed without being run", "[integration][queue][worker]") {
    worker_fixture f;
    f.add("marked", "0", "0", 1'000'000, "L", R"({"attempts":5})");
    f.redis({"HSET", f.key("marked"), "defa", "child bull:C:c0 failed"});
    f.add("restarted", "0", "0", 1'000'000, "L", R"({"attempts":5})");
    f.redis({"HSET", f.key("restarted"), "ats", "3"});
    queue::worker_options options;
    options.max_started_attempts = 3;
    int runs = 0;
    f.run(
        options,
        [&](active_job&) -> task<std::string> {
            ++runs;
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(2); });
    CHECK(runs == 0);
    CHECK(f.field("marked", "failedReason") == "child bull:C:c0 failed");
    CHECK(f.field("marked", "defa") == "(nil)");
    CHECK(f.field("restarted", "failedReason") == "job started more than allowable limit");
    CHECK(f.sorted("failed").size() == 2);
}

TEST_CASE("children decide whether a job may complete", "[integration][queue][worker]") {
    worker_fixture f;
    f.add("unlucky", "0", "0", 1'000'000, "L", R"({"attempts":5})");
    f.redis({"ZADD", f.key("unlucky:unsuccessful"), "1", "bull:q:c"});
    f.add("early");
    f.redis({"SADD", f.key("early:dependencies"), "bull:q:c"});
    f.run({}, nothing, [](worker_fixture& w) -> task<void> { co_await w.outcomes(2); });
    CHECK(f.field("unlucky", "failedReason") ==
          "Cannot complete job unlucky because it has at least one failed child");
    CHECK(f.field("early", "failedReason") == "Job early has pending dependencies");
    CHECK(f.count(kind::failed) == 2);
}

TEST_CASE("a job whose processor ended at once can no longer be cancelled", "[integration][queue][worker]") {
    worker_fixture f;
    bool ran = false;
    f.run(
        queue::worker_options{},
        [&](active_job&) -> task<std::string> {
            f.redis({"CLIENT", "PAUSE", "300", "ALL"}); // so that its end stays unconfirmed for a while
            ran = true;
            co_return "1";
        },
        [&](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1"});
            co_await w.until([&] { return ran; });
            CHECK(w.seen().empty());
            CHECK_FALSE(w.worker().cancel("1", "too late"));
            co_await w.outcomes(1);
        });
    CHECK(f.seen()[0].what == kind::completed);
}

TEST_CASE("a job that is cancelled by id fails for good", "[integration][queue][worker]") {
    worker_fixture f;
    f.run(
        {},
        [](active_job& job) -> task<std::string> {
            co_await sleep_for(20s);
            co_return job.id();
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1", attempts(5)});
            co_await w.until([&] { return w.worker().active() == 1; });
            CHECK_FALSE(w.worker().cancel("2", "no"));
            CHECK(w.worker().cancel("1", "cancelled by its owner"));
            co_await w.outcomes(1);
        });
    CHECK(f.seen()[0].what == kind::failed);
    CHECK(f.field("1", "failedReason") == "cancelled by its owner");
}

} // namespace
} // namespace tiktrend::testing
