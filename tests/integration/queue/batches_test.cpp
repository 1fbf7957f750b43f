#include "worker_fixture.hpp"

#include <tiktrend/queue/job_scheduler.hpp>

#include <catch2/catch.hpp>

#include <algorithm>

namespace tiktrend::testing {
namespace {

using queue::active_batch;
using kind = queue::worker_options::outcome::kind;

queue::worker_options batches_of(std::size_t size, std::size_t min_size = 1,
                                 std::chrono::milliseconds timeout = 0ms) {
    queue::worker_options o;
    o.batch.size = size;
    o.batch.min_size = min_size;
    o.batch.timeout = timeout;
    o.drain_delay = 100ms;
    return o;
}

strings ids_of(const active_batch& batch) {
    strings out;
    for (const auto* job : batch.jobs())
        out.push_back(job->id());
    return out;
}

void add(queue_fixture& f, int from, int to, const std::string& opts = R"({"attempts":0})") {
    for (int i = from; i <= to; ++i)
        f.add("j" + std::to_string(i), "0", "0", 1'000'000, "L", opts);
}

TEST_CASE("a processor gets up to as many jobs as a batch holds, in their order",
          "[integration][queue][batch]") {
    worker_fixture f;
    add(f, 1, 7);
    std::vector<strings> batches;
    f.run_batches(
        batches_of(3),
        [&](active_batch& batch) -> task<std::string> {
            batches.push_back(ids_of(batch));
            co_await sleep_for(5ms);
            co_return R"("together")";
        },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(7); });
    REQUIRE(batches.size() == 3);
    CHECK(batches[0] == strings{"j1", "j2", "j3"});
    CHECK(batches[1] == strings{"j4", "j5", "j6"});
    CHECK(batches[2] == strings{"j7"});
    CHECK(f.count(kind::completed) == 7);
    CHECK(f.field("j5", "returnvalue") == R"("together")");
}

TEST_CASE("a batch that never waits ends as well", "[integration][queue][batch]") {
    worker_fixture f;
    add(f, 1, 20);
    f.run_batches(
        batches_of(4), [](active_batch&) -> task<std::string> { co_return std::string{}; },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(20); });
    CHECK(f.count(kind::completed) == 20);
}

TEST_CASE("single jobs of a batch can fail or have a value of their own", "[integration][queue][batch]") {
    worker_fixture f;
    add(f, 1, 4, R"({"attempts":2,"backoff":{"type":"fixed","delay":60000}})");
    f.run_batches(
        batches_of(4),
        [](active_batch& batch) -> task<std::string> {
            const auto jobs = batch.jobs();
            batch.set_as_failed(*jobs[0], std::make_exception_ptr(std::runtime_error("this one")));
            batch.set_as_failed(*jobs[1], std::make_exception_ptr(queue::unrecoverable_error("never")));
            batch.set_value(*jobs[2], "33");
            co_return "1";
        },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(4); });
    CHECK(f.sorted("delayed") == strings{"j1"}); // tried again by its own options
    CHECK(f.field("j1", "failedReason") == "this one");
    CHECK(f.sorted("failed") == strings{"j2"});
    CHECK(f.field("j3", "returnvalue") == "33");
    CHECK(f.field("j4", "returnvalue") == "1");
}

TEST_CASE("an error of the processor fails the jobs that it said nothing about",
          "[integration][queue][batch]") {
    worker_fixture f;
    add(f, 1, 3);
    f.run_batches(
        batches_of(3),
        [](active_batch& batch) -> task<std::string> {
            batch.set_value(*batch.jobs()[0], "1");
            throw std::runtime_error("broken");
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(3); });
    CHECK(f.count(kind::completed) == 1);
    CHECK(f.count(kind::failed) == 2);
    CHECK(f.field("j3", "failedReason") == "broken");
}

TEST_CASE("a batch waits for its smallest size", "[integration][queue][batch]") {
    worker_fixture f;
    add(f, 1, 2);
    std::vector<strings> batches;
    f.run_batches(
        batches_of(5, 4),
        [&](active_batch& batch) -> task<std::string> {
            batches.push_back(ids_of(batch));
            co_return std::string{};
        },
        [&](worker_fixture& w) -> task<void> {
            co_await w.until([&] { return f.list("active").size() == 2; });
            co_await w.until_at_rest(); // it waits for more
            CHECK(batches.empty());
            add(w, 3, 4);
            co_await w.outcomes(4);
        });
    CHECK(batches.size() == 1);
}

TEST_CASE("a batch waits no longer than its timeout, and its locks are renewed meanwhile",
          "[integration][queue][batch]") {
    worker_fixture f;
    add(f, 1, 2);
    auto options = batches_of(5, 4, 400ms);
    options.lock_duration = 100ms;
    std::size_t size = 0;
    const auto begin = std::chrono::steady_clock::now();
    f.run_batches(
        options,
        [&](active_batch& batch) -> task<std::string> {
            size = batch.jobs().size();
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(2); });
    CHECK(size == 2);
    CHECK(std::chrono::steady_clock::now() - begin >= 390ms);
    CHECK(f.count(kind::completed) == 2);
}

TEST_CASE("as many batches run at once as the concurrency says, and no more jobs are taken",
          "[integration][queue][batch]") {
    worker_fixture f;
    add(f, 1, 10);
    auto options = batches_of(2);
    options.concurrency = 2;
    std::size_t now = 0, most = 0;
    bool may_end = false;
    f.run_batches(
        options,
        [&](active_batch&) -> task<std::string> {
            most = std::max(most, ++now);
            CHECK(f.list("active").size() <= 2 * f.worker().concurrency());
            while (!may_end)
                co_await sleep_for(1ms);
            --now;
            co_return std::string{};
        },
        [&](worker_fixture& w) -> task<void> {
            co_await w.until([&] { return now == 2; });
            CHECK(w.list("active").size() == 4);
            w.worker().set_concurrency(3);
            co_await w.until([&] { return now == 3; });
            CHECK(w.worker().concurrency() == 3);
            may_end = true;
            co_await w.outcomes(10);
        });
    CHECK(most == 3);
}

TEST_CASE("one job of a batch can be cancelled; all of them stop the processor",
          "[integration][queue][batch]") {
    worker_fixture f;
    add(f, 1, 2);
    bool is_running = false, was_cancelled = false;
    f.run_batches(
        batches_of(2, 2),
        [&](active_batch& batch) -> task<std::string> {
            is_running = true;
            try {
                co_await sleep_for(20s);
            } catch (const system_error&) {
                was_cancelled = batch.should_stop();
            }
            throw std::runtime_error("stopped");
            co_return std::string{};
        },
        [&](worker_fixture& w) -> task<void> {
            co_await w.until([&] { return is_running; });
            CHECK(w.worker().cancel("j1", "first"));
            co_await w.queue().counts(); // what the cancellation has set going is done before this answer
            CHECK_FALSE(was_cancelled);
            CHECK(w.worker().cancel("j2", "second"));
            co_await w.outcomes(2);
        });
    CHECK(was_cancelled);
    CHECK(f.field("j1", "failedReason") == "first");
    CHECK(f.field("j2", "failedReason") == "second");
}

TEST_CASE("a job can be cancelled while it waits for others of its batch", "[integration][queue][batch]") {
    worker_fixture f;
    add(f, 1, 1);
    f.run_batches(
        batches_of(2, 2), [](active_batch&) -> task<std::string> { co_return "1"; },
        [&](worker_fixture& w) -> task<void> {
            co_await w.until([&] { return w.worker().active() == 1; });
            CHECK(w.worker().cancel("j1", "no use"));
            co_await w.outcomes(1);
            add(w, 2, 3);
            co_await w.outcomes(3);
        });
    CHECK(f.field("j1", "failedReason") == "no use");
    CHECK(f.count(kind::completed) == 2);
}

TEST_CASE("a worker that ends gives back what it has gathered and what runs", "[integration][queue][batch]") {
    worker_fixture f;
    add(f, 1, 3);
    std::size_t size = 0;
    f.run_batches(
        batches_of(2, 2),
        [&](active_batch& batch) -> task<std::string> {
            size = batch.jobs().size();
            co_await sleep_for(20s);
            co_return std::string{};
        },
        [&](worker_fixture& w) -> task<void> {
            co_await w.until([&] { return size == 2; });
            CHECK(co_await w.stop_worker(20ms) == 0);
        });
    CHECK(f.list("active").empty());
    CHECK(f.list("wait").size() == 3);
    CHECK(f.field("j1", "atm") == "(nil)");
    CHECK(f.count(kind::released) >= 2);
}

TEST_CASE("a scheduler goes on when its job is taken, also if that waits for others of its batch",
          "[integration][queue][batch]") {
    worker_fixture f;
    std::vector<std::size_t> sizes;
    f.run_batches(
        batches_of(10, 2),
        [&](active_batch& batch) -> task<std::string> {
            sizes.push_back(batch.jobs().size());
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            queue::repeat_options repeat;
            repeat.every = 50ms;
            co_await queue::job_schedulers{w.queue()}.upsert("often", repeat);
            co_await w.outcomes(2);
        });
    CHECK(sizes.front() >= 2);
}

TEST_CASE("a job of a scheduler that does not wait is given back by a drain", "[integration][queue][batch]") {
    worker_fixture f;
    f.run_batches(
        batches_of(10, 2), [](active_batch&) -> task<std::string> { co_return std::string{}; },
        [](worker_fixture& w) -> task<void> {
            queue::repeat_options repeat;
            repeat.every = 3600s;
            co_await queue::job_schedulers{w.queue()}.upsert("seldom", repeat);
            co_await w.until([&] { return w.sorted("delayed").size() == 1 && w.list("active").size() == 1; });
            CHECK(co_await w.stop_worker() == 0);
        });
    CHECK(f.list("wait").size() == 1);
}

} // namespace
} // namespace tiktrend::testing
