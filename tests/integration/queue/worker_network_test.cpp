// Workers on a bad network, and a Redis that comes back with less than it had.
#include "queue_fixture.hpp"
#include "slow_link.hpp"

#include <tiktrend/base/timeout.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace tiktrend::testing {
namespace {

using queue::active_job;
using kind = queue::worker_options::outcome::kind;

task<void> until(std::function<bool()> done) {
    const auto deadline = std::chrono::steady_clock::now() + 25s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("what was waited for did not happen");
        co_await sleep_for(5ms);
    }
}

std::size_t told(const queue_fixture& f, std::string_view event) {
    const auto events = f.events();
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](const auto& e) { return e.starts_with(event); }));
}

task<std::string> take_a_while(active_job& job, std::chrono::milliseconds time) {
    co_await sleep_for(time);
    co_return '"' + job.id() + '"';
}

/// A worker whose every word takes 40 ms each way, and each twentieth 160 ms more, keeps the locks of its
/// jobs; whoever looks for stalled jobs all the time finds none.
task<void> keep_locks(queue_fixture& f, int jobs) {
    const auto executor = co_await asio::this_coro::executor;
    slow_link::quality bad;
    bad.delay = 40ms;
    bad.lost = 0.05;
    bad.resend = 160ms;
    slow_link link{executor, f.server().port(), bad};
    queue::worker_options options;
    options.concurrency = 10;
    options.lock_duration = 2s;
    options.run_stalled_check = false;
    std::size_t completed = 0, others = 0, stalled = 0;
    options.on_outcome = [&](const queue::worker_options::outcome& o) {
        ++(o.what == kind::completed ? completed : others);
    };
    queue::worker slow{executor, link.address(), f.name(),
                       [](active_job& job) { return take_a_while(job, 3s); }, options};
    queue::worker_options looking;
    looking.stalled_interval = 100ms;
    looking.on_stalled = [&](std::size_t n) { stalled += n; };
    queue::worker checker{executor, f.address(), f.name(),
                          [](active_job& job) { return take_a_while(job, 0ms); }, looking};
    checker.pause();
    checker.start();
    slow.start();

    redis::client_options patient;
    patient.wait_for_connection = true;
    redis::client client{executor, link.address(), patient};
    client.start();
    {
        queue::queue q{client, f.name()};
        for (int i = 0; i < jobs; ++i) {
            const auto before = std::chrono::steady_clock::now();
            co_await q.add({"a", "1"});
            CHECK(std::chrono::steady_clock::now() - before < 2s);
        }
    }
    co_await until([&] { return completed + others == static_cast<std::size_t>(jobs); });
    CHECK(completed == static_cast<std::size_t>(jobs));
    CHECK(stalled == 0);
    const auto soon = std::chrono::steady_clock::now() + 5s;
    co_await slow.stop(soon, soon);
    co_await checker.stop(soon, soon);
    co_await client.stop();
    co_await link.stop();
}

TEST_CASE("a slow and lossy network costs no lock", "[integration][queue][worker][fault]") {
    queue_fixture f;
    const int jobs = std::getenv("TIKTREND_LONG_TESTS") ? 60 : 10;
    run_coroutine(keep_locks(f, jobs), 120s);
    CHECK(f.sorted("completed").size() == static_cast<std::size_t>(jobs));
    CHECK(told(f, "stalled") == 0);
}

/// The worker is told to stop while a job is on its way to it.
task<void> stop_too_early(queue_fixture& f) {
    const auto executor = co_await asio::this_coro::executor;
    slow_link::quality slow;
    slow.delay = 150ms;
    slow_link link{executor, f.server().port(), slow};
    int runs = 0;
    queue::worker w{executor, link.address(), f.name(), [&](active_job& job) {
                        ++runs;
                        return take_a_while(job, 0ms);
                    }};
    w.start();
    co_await until([&] { return f.list("active") == strings{"1"}; });
    const auto now = std::chrono::steady_clock::now();
    CHECK(co_await w.stop(now + 5s, now + 5s) == 0);
    CHECK(runs == 0);
    co_await link.stop();
}

TEST_CASE("a job that was on its way to a worker that stops is given back",
          "[integration][queue][worker][fault]") {
    queue_fixture f;
    f.add("");
    run_coroutine(stop_too_early(f), 20s);
    CHECK(f.list("wait") == strings{"1"});
    CHECK_FALSE(f.exists("active"));
    CHECK_FALSE(f.exists("1:lock"));
}

task<std::string> run_until(active_job& job, bool& may_end, int& runs) {
    ++runs;
    while (!may_end && !job.should_stop())
        co_await sleep_for(2ms);
    co_return R"("frozen")";
}

task<std::string> run_elsewhere(active_job&) {
    co_return R"("elsewhere")";
}

/// A worker that is cut off for longer than its lock lasts, and then comes back with its result.
task<void> cut_off(queue_fixture& f) {
    const auto executor = co_await asio::this_coro::executor;
    slow_link link{executor, f.server().port()};
    bool may_end = false;
    int runs = 0;
    std::vector<kind> frozen, healthy;
    queue::worker_options options;
    options.lock_duration = 600ms;
    options.run_stalled_check = false;
    options.on_outcome = [&](const queue::worker_options::outcome& o) { frozen.push_back(o.what); };
    queue::worker cut{executor, link.address(), f.name(),
                      [&](active_job& job) { return run_until(job, may_end, runs); }, options};
    cut.start();
    f.add("a");
    co_await until([&] { return runs == 1; });
    link.hold();
    queue::worker_options other_options;
    other_options.stalled_interval = 100ms;
    other_options.drain_delay = 100ms;
    other_options.on_outcome = [&](const queue::worker_options::outcome& o) { healthy.push_back(o.what); };
    queue::worker other{executor, f.address(), f.name(), run_elsewhere, other_options};
    other.start();
    co_await until([&] { return !healthy.empty(); });
    may_end = true;
    link.let_go();
    co_await until([&] { return !frozen.empty(); });
    CHECK(frozen == std::vector<kind>{kind::lost});
    CHECK(healthy == std::vector<kind>{kind::completed});
    const auto soon = std::chrono::steady_clock::now() + 5s;
    co_await cut.stop(soon, soon);
    co_await other.stop(soon, soon);
    co_await link.stop();
}

TEST_CASE("a worker that was frozen cannot end a job that ran elsewhere",
          "[integration][queue][worker][fault]") {
    queue_fixture f;
    run_coroutine(cut_off(f), 60s);
    CHECK(f.field("a", "returnvalue") == R"("elsewhere")");
    CHECK(f.field("a", "stc") == "1");
    CHECK(told(f, "completed") == 1);
    CHECK(f.keys().contains("a"));
    CHECK_FALSE(f.exists("a:lock"));
}

void cut_tail(queue_fixture& f, std::uintmax_t bytes) {
    const auto dir = lines(f.redis({"CONFIG", "GET", "dir"})).at(1);
    f.server().kill();
    for (const auto& file : std::filesystem::directory_iterator{dir + "/appendonlydir"})
        if (file.path().string().ends_with(".incr.aof")) {
            REQUIRE(file.file_size() > bytes);
            std::filesystem::resize_file(file.path(), file.file_size() - bytes);
        }
    f.server().start();
}

/// The end of what Redis wrote down is lost with it: jobs that it knows as running again, or as waiting,
/// while the worker has ended them or runs them.
task<void> lose_the_tail(queue_fixture& f, std::size_t jobs, std::uintmax_t bytes) {
    const auto executor = co_await asio::this_coro::executor;
    queue::worker_options options;
    options.concurrency = 10;
    options.lock_duration = 1s;
    options.stalled_interval = 300ms;
    options.max_stalled_count = 5;
    options.drain_delay = 200ms;
    queue::worker worker{executor, f.address(), f.name(),
                         [](active_job& job) { return take_a_while(job, 5ms); }, options};
    worker.start();
    const auto all_done = [&] {
        return f.sorted("completed").size() == jobs && f.redis({"LLEN", f.key("active")}) == "0";
    };
    try {
        co_await until([&] { return f.sorted("completed").size() > 50; });
        cut_tail(f, bytes);
        co_await until(all_done);
    } catch (const std::exception& e) {
        FAIL_CHECK(e.what() << "; completed " << f.redis({"ZCARD", f.key("completed")}) << ", wait "
                            << f.redis({"LLEN", f.key("wait")}) << ", active "
                            << f.redis({"LRANGE", f.key("active"), "0", "-1"}) << ", marker "
                            << f.redis({"ZRANGE", f.key("marker"), "0", "-1"}) << ", worker "
                            << worker.active() << worker.is_connected());
    }
    const auto soon = std::chrono::steady_clock::now() + 5s;
    co_await worker.stop(soon, soon);
}

TEST_CASE("a Redis that lost the end of its log ends every job once", "[integration][queue][worker][fault]") {
    // Once a server: Redis 7.0 leaves the beginning of a cut transaction in its log, and runs it when it
    // reads that again.
    const std::uintmax_t bytes = GENERATE(1, 40, 3000);
    CAPTURE(bytes);
    redis_server::options options;
    options.append_only = true;
    redis_server server{options};
    queue_fixture f{"q", server};
    constexpr std::size_t jobs = 200;
    for (std::size_t i = 0; i < jobs; ++i)
        f.add("job" + std::to_string(i));
    run_coroutine(lose_the_tail(f, jobs, bytes), 90s);
    for (const auto& key : f.keys())
        CHECK_FALSE(key.ends_with(":lock"));
    CHECK(f.redis({"LLEN", f.key("wait")}) == "0");
    CHECK(f.sorted("failed") == strings{});
    CHECK(f.members("stalled").empty());
}

} // namespace
} // namespace tiktrend::testing
