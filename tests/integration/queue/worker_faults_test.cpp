#include "worker_fixture.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <future>
#include <map>
#include <thread>

namespace tiktrend::testing {
namespace {

using queue::active_job;
using kind = queue::worker_options::outcome::kind;

TEST_CASE("a job whose lock was stolen is reported as lost and never finished here",
          "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.lock_duration = 400ms;
    std::string reason;
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            f.redis({"SET", f.key(job.id() + ":lock"), "somebody else"});
            try {
                co_await sleep_for(10s);
            } catch (const system_error&) {
                reason = job.stop_reason();
            }
            co_return "1";
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1"});
            co_await w.outcomes(1);
        });
    CHECK(reason == "the job's lock was lost");
    CHECK(f.seen()[0].what == kind::lost);
    CHECK(f.list("active") == strings{"1"});
    CHECK(f.field("1", "returnvalue") == "(nil)");
    CHECK(f.redis({"GET", f.key("1:lock")}) == "somebody else");
}

TEST_CASE("a job that another took before it ended is lost, not run again", "[integration][queue][worker]") {
    worker_fixture f;
    int runs = 0;
    f.run(
        {},
        [&](active_job& job) -> task<std::string> {
            ++runs;
            f.redis({"DEL", f.key(job.id() + ":lock")});
            co_return "1";
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1"});
            co_await w.outcomes(1);
        });
    CHECK(runs == 1);
    CHECK(f.seen()[0].what == kind::lost);
    CHECK(f.list("active") == strings{"1"});
}

TEST_CASE("locks are renewed while a job runs", "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.lock_duration = 200ms;
    options.stalled_interval = 100ms;
    f.run(
        options,
        [](active_job&) -> task<std::string> {
            co_await sleep_for(900ms);
            co_return "1";
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.queue().add({"a", "1"});
            co_await w.outcomes(1);
        });
    CHECK(f.seen()[0].what == kind::completed);
    CHECK(f.field("1", "stc") == "(nil)");
    CHECK(f.field("1", "ats") == "1");
}

TEST_CASE("jobs of a worker that died are run by another", "[integration][queue][worker]") {
    worker_fixture f;
    for (const char* id : {"a", "b", "c"})
        f.add(id);
    CHECK(f.fetch("dead", 3).size() == 3); // taken, and nobody renews
    for (const char* id : {"a", "b"})
        f.redis({"PEXPIRE", f.key(std::string{id} + ":lock"), "300"});
    queue::worker_options options;
    options.concurrency = 5;
    options.stalled_interval = 150ms;
    std::size_t stalled = 0;
    options.on_stalled = [&](std::size_t n) { stalled += n; };
    f.run(
        options, [](active_job&) -> task<std::string> { co_return "1"; },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(2); });
    CHECK(stalled == 2);
    CHECK(f.sorted("completed").size() == 2);
    CHECK(f.field("a", "stc") == "1");
    CHECK(f.list("active") == strings{"c"}); // its lock is alive
}

/// A job that a dead worker left, which the next stalled check gives back.
void leave_stalled(worker_fixture& f, const std::string& id) {
    f.add(id);
    CHECK(f.fetch("dead", 1) == strings{id});
    f.redis({"DEL", f.key(id + ":lock")});
    f.redis({"SADD", f.key("stalled"), id});
}

TEST_CASE("the next stalled check comes when the last one's interval is over, whoever made that",
          "[integration][queue][worker]") {
    worker_fixture f;
    leave_stalled(f, "a");
    f.redis({"SET", f.key("stalled-check"), "1", "PX", "300"}); // by a worker that is dead now
    queue::worker_options options;
    options.stalled_interval = 60s;
    f.run(
        options, [](active_job&) -> task<std::string> { co_return "1"; },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(1); });
    CHECK(f.field("a", "stc") == "1");
    CHECK(f.sorted("completed") == strings{"a"});
}

TEST_CASE("a stalled check that never expires holds nothing up", "[integration][queue][worker]") {
    worker_fixture f;
    leave_stalled(f, "a");
    f.redis({"SET", f.key("stalled-check"), "1"});
    f.run(
        {}, [](active_job&) -> task<std::string> { co_return "1"; },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(1); });
    CHECK(f.field("a", "stc") == "1");
    CHECK(std::stoi(f.redis({"PTTL", f.key("stalled-check")})) > 0);
}

TEST_CASE("a stalled check that failed is made again soon", "[integration][queue][worker]") {
    redis_server server;
    worker_fixture f{"q", server};
    leave_stalled(f, "a");
    f.redis({"CONFIG", "SET", "maxmemory", "1"}); // the check may not write
    bool has_failed = false;
    queue::worker_options options;
    options.stalled_interval = 60s;
    options.log = logger::to_sink(log_level::warn, [&](std::string_view line) {
        if (line.find("stalled_check_failed") != std::string_view::npos) has_failed = true;
    });
    f.run(
        options, [](active_job&) -> task<std::string> { co_return "1"; },
        [&](worker_fixture& w) -> task<void> {
            co_await w.until([&] { return has_failed; });
            w.redis({"CONFIG", "SET", "maxmemory", "0"});
            co_await w.outcomes(1);
        });
    CHECK(f.field("a", "stc") == "1");
}

/// The counts, asked again while the connection that the fault cut comes back: producers fail fast by design,
/// and a read may be repeated.
task<queue::job_counts> counts_after_faults(worker_fixture& w) {
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    for (;;) {
        try {
            co_return co_await w.queue().counts();
        } catch (const system_error& e) {
            if (e.code().category() != redis::category() || std::chrono::steady_clock::now() > give_up) throw;
        }
        co_await sleep_for(5ms);
    }
}

/// Adds `n` jobs, disturbs Redis meanwhile (for `rounds`, or until `enough` calls had to be looked into), and
/// expects each job to be run exactly once. The number of calls whose reply was lost and whose fate had to be
/// found out. `calm` ends what is left of the disturbance before anything is looked at.
int run_under_load(
    worker_fixture& f, std::size_t n, std::function<void(int round)> disturb, int rounds,
    std::chrono::milliseconds pause, std::chrono::milliseconds job_takes = 2ms, int enough = 1000,
    std::function<void()> calm = [] {}, std::size_t slots = 20) {
    queue::worker_options options;
    options.concurrency = slots;
    int recovered = 0;
    options.log = logger::to_sink(log_level::info, [&](std::string_view line) {
        if (line.find("queue_call_recovered") != std::string_view::npos) ++recovered;
    });
    std::map<std::string, int> runs;
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            ++runs[job.id()];
            if (job_takes.count() > 0) co_await sleep_for(job_takes);
            co_return "1";
        },
        [&](worker_fixture& w) -> task<void> {
            w.redis(
                {"HSET", w.key("meta"), "opts.maxLenEvents", "1000000"}); // all of them are looked at below
            std::vector<queue::new_job> jobs(n);
            for (auto& job : jobs)
                job.name = "a";
            co_await w.queue().add_bulk(std::move(jobs));
            const auto is_over = [&] { return w.count(kind::completed) >= n; };
            for (int i = 0; i < rounds && recovered < enough; ++i) {
                const auto before = w.seen().size();
                co_await w.until([&] { return w.seen().size() > before || is_over(); }); // works again
                if (is_over()) break; // nothing is left to disturb
                co_await sleep_for(pause);
                disturb(i);
            }
            co_await w.until(is_over);
            calm();
            const auto counts = co_await counts_after_faults(w);
            CHECK(counts.completed == static_cast<std::int64_t>(n));
            CHECK(counts.active + counts.waiting + counts.failed == 0);
        },
        80s);
    CHECK(runs.size() == n);
    CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& r) { return r.second == 1; }));
    CHECK(f.count(kind::lost) == 0);
    const auto events = f.events();
    std::map<std::string, int> completed;
    for (const auto& e : events)
        if (e.starts_with("completed ")) ++completed[e];
    CHECK(completed.size() == n);
    return recovered;
}

/// Keeps Redis busy for a moment, so that a call of the worker and the command that cuts its connection are
/// both there when it looks again: the call then runs and its reply is lost, or it never runs.
class cutter {
public:
    explicit cutter(queue_fixture& f) : f_{f} {
        std::signal(SIGPIPE, SIG_IGN); // its own connections are cut too, and hiredis writes to them
    }
    void cut() {
        const auto run = [&](std::chrono::milliseconds after, strings words) {
            threads_.push_back(std::async(std::launch::async, [this, after, words] {
                std::this_thread::sleep_for(after); // for the order of the two, which nothing else depends on
                try {
                    f_.redis(words);
                } catch (const std::exception&) { // its own connection may be the one that is cut
                }
            }));
        };
        run(0ms, {"EVAL",
                  "local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end "
                  "local stop = now() + 30 while now() < stop do end",
                  "0"});
        run(10ms, {"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    }

    /// Waits until every cut that was asked for has happened.
    void calm() { threads_.clear(); }

private:
    queue_fixture& f_;
    std::vector<std::future<void>> threads_; // their destructors wait
};

TEST_CASE("connections that break again and again lose no job and run none twice",
          "[integration][queue][worker][fault]") {
    const std::size_t slots = GENERATE(20, 100); // with many, two calls are on their way at once
    worker_fixture f;
    cutter c{f};
    const int recovered = run_under_load(
        f, slots * 400 + 2000, [&](int) { c.cut(); }, 100, 10ms, 0ms, 1, [&] { c.calm(); }, slots);
    // Whether a cut meets a call on its way is chance; tests/fault/scenarios/redis.test.mjs (13, 14) leaves
    // it none.
    if (recovered == 0) WARN("no cut met a call on its way");
}

TEST_CASE("a restart of Redis under load loses no job and runs none twice",
          "[integration][queue][worker][fault]") {
    redis_server::options options;
    options.append_only = true;
    redis_server server{options};
    worker_fixture f{"q", server};
    run_under_load(
        f, 2000, [&](int round) { round % 2 ? server.restart() : (server.kill(), server.start()); }, 3, 60ms);
}

TEST_CASE("scripts that Redis has forgotten are sent again", "[integration][queue][worker][fault]") {
    worker_fixture f;
    run_under_load(f, 1000, [&](int) { f.redis({"SCRIPT", "FLUSH"}); }, 8, 5ms);
}

TEST_CASE("two workers share a queue without running a job twice", "[integration][queue][worker]") {
    worker_fixture f;
    std::map<std::string, int> runs;
    const auto processor = [&](active_job& job) -> task<std::string> {
        ++runs[job.id()];
        co_await sleep_for(1ms);
        co_return "1";
    };
    queue::worker_options options;
    options.concurrency = 10;
    std::size_t other_ended = 0;
    f.run(options, processor, [&](worker_fixture& w) -> task<void> {
        queue::worker_options second = options;
        second.on_outcome = [&](const queue::worker_options::outcome&) { ++other_ended; };
        queue::worker other{co_await asio::this_coro::executor, w.address(), w.name(), processor, second};
        other.start();
        std::vector<queue::new_job> jobs(2000);
        for (auto& job : jobs)
            job.name = "a";
        co_await w.queue().add_bulk(std::move(jobs));
        co_await w.until([&] { return w.seen().size() + other_ended == 2000; });
        const auto soon = std::chrono::steady_clock::now() + 5s;
        co_await other.stop(soon, soon);
    });
    CHECK(other_ended > 0);
    CHECK(f.seen().size() > 0);
    CHECK(runs.size() == 2000);
    CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& r) { return r.second == 1; }));
}

} // namespace
} // namespace tiktrend::testing
