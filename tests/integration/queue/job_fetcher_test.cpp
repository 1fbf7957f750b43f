#include "queue_fixture.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/job_fetcher.hpp>
#include <tiktrend/queue/job_operations.hpp>
#include <tiktrend/queue/job_scheduler.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::job_fetcher;
using queue::lock_token;

TEST_CASE("a job is fetched by hand and ended by its token", "[integration][queue][fetcher]") {
    queue_fixture f;
    f.with_queue([&f](queue::queue& q) -> task<void> {
        queue::worker_options options;
        options.name = "hand";
        job_fetcher fetcher{q, options};
        queue::job_operations ops{q};
        const lock_token mine{"mine"};
        CHECK_FALSE(co_await fetcher.get_next_job(mine));
        co_await q.add({"paint", R"({"n":1})"});
        const auto job = co_await fetcher.get_next_job(mine);
        REQUIRE(job);
        CHECK(job->data == R"({"n":1})");
        CHECK(job->attempts_started == 1);
        CHECK(f.field("1", "pb") == "hand");
        CHECK(f.redis({"GET", f.key("1:lock")}) == "mine");
        co_await ops.move_to_completed(job->id, "7", mine);
        CHECK(f.field("1", "returnvalue") == "7");
        CHECK(f.sorted("completed") == strings{"1"});
    });
}

TEST_CASE("locks of jobs fetched by hand are extended in one call", "[integration][queue][fetcher]") {
    queue_fixture f;
    f.with_queue([&f](queue::queue& q) -> task<void> {
        queue::worker_options options;
        options.lock_duration = 60s;
        job_fetcher fetcher{q, options};
        const lock_token mine{"mine"}, other{"other"};
        co_await q.add({"a", "1"});
        co_await q.add({"a", "1"});
        co_await fetcher.get_next_job(mine);
        co_await fetcher.get_next_job(mine);
        f.redis({"PEXPIRE", f.key("1:lock"), "1000"});
        std::vector<job_fetcher::held_job> held{{"1", mine}, {"2", other}};
        CHECK(co_await fetcher.extend_locks(held) == strings{"2"});
        CHECK(std::stoi(f.redis({"PTTL", f.key("1:lock")})) > 50'000);
        CHECK((co_await fetcher.extend_locks({})).empty());
    });
}

task<void> fetch_waiting(job_fetcher& fetcher, std::optional<queue::job_record>& out) {
    out = co_await fetcher.get_next_job(lock_token{"mine"}, 10s);
}

TEST_CASE("a fetch by hand may wait, and an add wakes it", "[integration][queue][fetcher]") {
    queue_fixture f;
    f.with_queue([&f](queue::queue& q) -> task<void> {
        job_fetcher fetcher{q};
        const auto begin = std::chrono::steady_clock::now();
        CHECK_FALSE(co_await fetcher.get_next_job(lock_token{"mine"}, 50ms));
        CHECK(std::chrono::steady_clock::now() - begin >= 45ms);
        std::optional<queue::job_record> job;
        task_group waiting{co_await asio::this_coro::executor};
        waiting.spawn("fetch", fetch_waiting(fetcher, job));
        while (f.redis({"INFO", "clients"}).find("blocked_clients:1") == std::string::npos)
            co_await sleep_for(2ms);
        const auto added = std::chrono::steady_clock::now();
        co_await q.add({"a", "1"});
        co_await waiting.join();
        REQUIRE(job);
        CHECK(std::chrono::steady_clock::now() - added < 2s); // far below the drain delay
    });
}

TEST_CASE("what must not run is failed by who fetches it by hand too", "[integration][queue][fetcher]") {
    queue_fixture f;
    f.with_queue([&f](queue::queue& q) -> task<void> {
        queue::job_options retried;
        retried.attempts = 5;
        co_await q.add({"marked", "1", retried});
        co_await q.add({"good", "1"});
        f.redis({"HSET", f.key("1"), "defa", "child bull:C:c0 failed"});
        job_fetcher fetcher{q};
        const auto job = co_await fetcher.get_next_job(lock_token{"mine"});
        REQUIRE(job);
        CHECK(job->id == "2");
        CHECK(f.field("1", "failedReason") == "child bull:C:c0 failed");
        CHECK(f.sorted("failed") == strings{"1"});
    });
}

TEST_CASE("a stalled check by hand gives back what nobody renewed", "[integration][queue][fetcher]") {
    queue_fixture f;
    f.with_queue([&f](queue::queue& q) -> task<void> {
        job_fetcher fetcher{q};
        co_await q.add({"a", "1"});
        co_await fetcher.get_next_job(lock_token{"mine"});
        f.redis({"DEL", f.key("1:lock")});
        f.redis({"SADD", f.key("stalled"), "1"});
        co_await fetcher.check_stalled();
        CHECK(f.list("wait") == strings{"1"});
    });
}

TEST_CASE("a fetch by hand with a lock of no time, or of all time, loses no job",
          "[integration][queue][fetcher]") {
    queue_fixture f;
    const auto duration = GENERATE(0ms, std::chrono::milliseconds::max());
    f.with_queue([&f, duration](queue::queue& q) -> task<void> {
        queue::worker_options options;
        options.lock_duration = duration;
        job_fetcher fetcher{q, options};
        co_await q.add({"a", "1"});
        CHECK(co_await fetcher.get_next_job(lock_token{"mine"}));
        CHECK(f.list("active") == strings{"1"});
        CHECK(f.exists("1:lock"));
    });
}

TEST_CASE("a limit without its window, and a lock without a holder, are refused",
          "[integration][queue][fetcher]") {
    queue_fixture f;
    CHECK_THROWS_AS(lock_token{""}, std::invalid_argument);
    f.with_queue([](queue::queue& q) -> task<void> {
        queue::worker_options options;
        options.limiter_max = 5;
        CHECK_THROWS_AS((job_fetcher{q, options}), std::invalid_argument);
        queue::worker_options of_groups;
        of_groups.group.limit_max = 5;
        CHECK_THROWS_AS((job_fetcher{q, of_groups}), std::invalid_argument);
        co_return;
    });
}

TEST_CASE("a scheduler goes on although its job is refused", "[integration][queue][fetcher]") {
    queue_fixture f;
    f.with_queue([&f](queue::queue& q) -> task<void> {
        queue::repeat_options repeat;
        repeat.every = 60s;
        const auto first = co_await queue::job_schedulers{q}.upsert("minute", repeat);
        REQUIRE(first);
        f.redis({"HSET", f.key(first->id), "ats", "1"}); // whoever fetched it before died
        queue::worker_options options;
        options.max_started_attempts = 1;
        job_fetcher fetcher{q, options};
        CHECK_FALSE(co_await fetcher.get_next_job(lock_token{"mine"}));
        CHECK(f.sorted("failed") == strings{first->id});
        CHECK(f.sorted("delayed").size() == 1);
    });
}

} // namespace
} // namespace tiktrend::testing
