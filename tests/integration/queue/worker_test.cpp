#include "worker_fixture.hpp"

#include <tiktrend/queue/job_scheduler.hpp>

#include <catch2/catch.hpp>

#include <algorithm>

namespace tiktrend::testing {
namespace {

using queue::active_job;
using queue::job_options;
using kind = queue::worker_options::outcome::kind;

task<std::string> nothing(active_job&) {
    co_return std::string{};
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
        co_await w.until_at_rest();
        w.redis({"HSET", w.key("silent"), "name", "a"});
        w.redis({"LPUSH", w.key("wait"), "silent"});
        co_await w.outcomes(2);
        CHECK(w.seen()[1].id == "silent");
    });
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
        const auto polls = w.rests();
        co_await w.until([&] { return w.rests() >= polls + 2; });
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

TEST_CASE("a scheduler goes on although a worker refuses its job", "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.max_started_attempts = 1;
    options.drain_delay = 100ms;
    bool has_run = false;
    f.run(
        options,
        [&](active_job&) -> task<std::string> {
            has_run = true;
            co_return std::string{};
        },
        [&](worker_fixture& w) -> task<void> {
            w.worker().pause();
            queue::repeat_options repeat;
            repeat.every = 3600s;
            const auto first = co_await queue::job_schedulers{w.queue()}.upsert("hourly", repeat);
            w.redis({"HSET", w.key(first->id), "ats", "1"}); // whoever fetched it before died
            w.worker().resume();
            co_await w.outcomes(1);
        });
    CHECK_FALSE(has_run);
    CHECK(f.count(kind::failed) == 1);
    CHECK(f.sorted("delayed").size() == 1);
}

} // namespace
} // namespace tiktrend::testing
