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

TEST_CASE("a worker runs what a queue adds and stores the results", "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.concurrency = 10;
    options.name = "node-1";
    std::size_t now = 0, most = 0;
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            most = std::max(most, ++now);
            co_await sleep_for(1ms);
            --now;
            co_return "{\"got\":" + job.record().data + "}";
        },
        [](worker_fixture& w) -> task<void> {
            for (int i = 0; i < 200; ++i)
                co_await w.queue().add({"paint", std::to_string(i)});
            co_await w.outcomes(200);
            const auto counts = co_await w.queue().counts();
            CHECK(counts.completed == 200);
            CHECK(counts.active + counts.waiting == 0);
            const auto job = co_await w.queue().get_job("7");
            REQUIRE(job);
            CHECK(job->return_value == "{\"got\":6}");
            CHECK(job->attempts_made == 1);
            CHECK(job->attempts_started == 1);
            CHECK(job->processed_by == "node-1");
        });
    CHECK(most <= 10);
    CHECK(f.count(kind::completed) == 200);
}

TEST_CASE("a worker uses all its slots at once", "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.concurrency = 20;
    std::size_t now = 0;
    f.run(
        options,
        [&](active_job&) -> task<std::string> {
            ++now;
            while (now < 20)
                co_await sleep_for(1ms);
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            std::vector<queue::new_job> jobs(20);
            co_await w.queue().add_bulk(std::move(jobs));
            co_await w.outcomes(20);
        });
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

TEST_CASE("jobs run in the order of their priority", "[integration][queue][worker]") {
    worker_fixture f;
    for (const auto& [id, priority] : std::vector<std::pair<std::string, std::string>>{
             {"c", "9"}, {"a", "1"}, {"d", "9"}, {"b", "1"}, {"first", "0"}})
        f.add(id, priority);
    strings order;
    f.run(
        {},
        [&](active_job& job) -> task<std::string> {
            order.push_back(job.id());
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(5); });
    CHECK(order == strings{"first", "a", "b", "c", "d"});
}

TEST_CASE("a delayed job runs when it is due, also on an idle worker", "[integration][queue][worker]") {
    worker_fixture f;
    std::chrono::steady_clock::time_point added, started;
    f.run(
        {},
        [&](active_job&) -> task<std::string> {
            started = std::chrono::steady_clock::now();
            co_return std::string{};
        },
        [&](worker_fixture& w) -> task<void> {
            job_options o;
            o.delay = 300ms;
            added = std::chrono::steady_clock::now();
            co_await w.queue().add({"later", "1", o});
            co_await w.outcomes(1);
        });
    CHECK(started - added >= 295ms);
    CHECK(started - added < 2s);
}

TEST_CASE("an id that nobody signalled is found within the drain delay", "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.drain_delay = 200ms;
    f.run(options, nothing, [](worker_fixture& w) -> task<void> {
        co_await w.queue().add({"a", "1"});
        co_await w.outcomes(1);
        co_await sleep_for(50ms); // idle again
        w.redis({"HSET", w.key("silent"), "name", "a"});
        w.redis({"LPUSH", w.key("wait"), "silent"});
        co_await w.outcomes(2);
        CHECK(w.seen()[1].id == "silent");
    });
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

TEST_CASE("a running job can report progress, rows and new data", "[integration][queue][worker]") {
    worker_fixture f;
    f.run(
        {},
        [](active_job& job) -> task<std::string> {
            co_await job.update_progress("50");
            co_await job.log("half way");
            co_await job.update_data(R"({"cursor":7})");
            CHECK(job.record().data == R"({"cursor":7})");
            bool refused = false;
            try {
                co_await job.update_progress("{");
            } catch (const system_error& e) {
                refused = e.code() == queue::errc::invalid_json;
            }
            CHECK(refused);
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1"});
            co_await w.outcomes(1);
            const auto job = co_await w.queue().get_job("1");
            CHECK(job->progress == "50");
            CHECK(job->data == R"({"cursor":7})");
            const auto rows = co_await w.queue().logs("1");
            CHECK(rows.rows == strings{"half way"});
        });
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

TEST_CASE("the worker keeps as many finished jobs as it is told, unless the job says otherwise",
          "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.concurrency = 4;
    options.remove_on_complete = queue::keep_policy::newest(2);
    f.run(options, nothing, [](worker_fixture& w) -> task<void> {
        for (int i = 0; i < 10; ++i)
            co_await w.queue().add({"a", "1"});
        co_await w.outcomes(10);
        CHECK((co_await w.queue().counts()).completed == 2);
        job_options o;
        o.remove_on_complete = queue::keep_policy::none();
        co_await w.queue().add({"a", "1", o});
        co_await w.outcomes(11);
        CHECK((co_await w.queue().counts()).completed == 2);
        CHECK_FALSE((co_await w.queue().get_job("11")));
    });
}

TEST_CASE("a paused queue rests and goes on after resume", "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.drain_delay = 100ms;
    f.run(options, nothing, [](worker_fixture& w) -> task<void> {
        co_await w.queue().pause();
        co_await w.queue().add({"a", "1"});
        co_await sleep_for(250ms);
        CHECK(w.seen().empty());
        co_await w.queue().resume();
        co_await w.outcomes(1);
    });
}

TEST_CASE("a rate limit spreads the starts", "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.concurrency = 10;
    options.limiter_max = 3;
    options.limiter_duration = 300ms;
    const auto begin = std::chrono::steady_clock::now();
    f.run(options, nothing, [](worker_fixture& w) -> task<void> {
        std::vector<queue::new_job> jobs(8);
        co_await w.queue().add_bulk(std::move(jobs));
        co_await w.outcomes(8);
    });
    CHECK(std::chrono::steady_clock::now() - begin >= 550ms); // three windows: two have to end
}

TEST_CASE("a scheduler's job creates the next one before it runs", "[integration][queue][worker]") {
    worker_fixture f;
    const auto now = system_wall_clock().now_ms();
    const auto id = "repeat:ev:" + std::to_string(now);
    f.redis({"HSET", f.key("repeat:ev"), "name", "tick", "every", "60000", "data", "{}", "ic", "1"});
    f.redis({"ZADD", f.key("repeat"), std::to_string(now), "ev"});
    f.redis({"HSET", f.key(id), "name", "tick", "rjk", "ev", "timestamp", "1", "opts",
             R"({"attempts":2,"custom":[1],"jobId":")" + id +
                 R"(","repeat":{"every":60000,"limit":2,"count":1},"repeatJobKey":"ev"})"});
    f.redis({"LPUSH", f.key("wait"), id});
    bool was_there = false;
    f.run(
        {},
        [&](active_job&) -> task<std::string> {
            was_there = f.sorted("delayed").size() == 1;
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(1); });
    CHECK(was_there);
    const auto next = "repeat:ev:" + std::to_string(now + 60'000);
    CHECK(f.sorted("delayed") == strings{next});
    const auto opts = f.field(next, "opts");
    CHECK(opts.find(R"("custom":[1])") != std::string::npos);
    CHECK(opts.find(R"("count":2)") != std::string::npos);
    CHECK(opts.find(R"("jobId":")" + next + R"(","delay":)") != std::string::npos);
}

TEST_CASE("the blocking connection has the name by which other clients list workers",
          "[integration][queue][worker]") {
    worker_fixture f{"A"};
    queue::worker_options options;
    options.name = "node-1";
    f.run(options, nothing, [](worker_fixture& w) -> task<void> {
        co_await w.until([&] {
            return w.redis({"CLIENT", "LIST"}).find("name=bull:QQ==:w:node-1 ") != std::string::npos;
        });
    });
}

TEST_CASE("concurrency can change while the worker runs", "[integration][queue][worker]") {
    worker_fixture f;
    std::size_t now = 0, most = 0;
    bool may_end = false;
    f.run(
        {},
        [&](active_job&) -> task<std::string> {
            most = std::max(most, ++now);
            while (!may_end)
                co_await sleep_for(1ms);
            --now;
            co_return std::string{};
        },
        [&](worker_fixture& w) -> task<void> {
            std::vector<queue::new_job> jobs(10);
            co_await w.queue().add_bulk(std::move(jobs));
            co_await w.until([&] { return now == 1; });
            w.worker().set_concurrency(5);
            co_await w.until([&] { return now == 5; });
            may_end = true;
            co_await w.outcomes(10);
        });
    CHECK(most == 5);
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
