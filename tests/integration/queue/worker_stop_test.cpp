#include "worker_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::active_job;
using kind = queue::worker_options::outcome::kind;

TEST_CASE("a draining worker lets its jobs end and starts no other", "[integration][queue][worker]") {
    worker_fixture f;
    queue::worker_options options;
    options.concurrency = 3;
    std::size_t started = 0;
    f.run(
        options,
        [&](active_job&) -> task<std::string> {
            ++started;
            co_await sleep_for(150ms);
            co_return "1";
        },
        [&](worker_fixture& w) -> task<void> {
            std::vector<queue::new_job> jobs(10);
            co_await w.queue().add_bulk(std::move(jobs));
            co_await w.until([&] { return started == 3; });
            w.worker().begin_drain();
            CHECK(w.worker().is_draining());
            CHECK(co_await w.worker().wait_idle(std::chrono::steady_clock::now() + 5s));
            CHECK(w.count(kind::completed) == 3);
            CHECK(w.worker().active() == 0);
            CHECK(co_await w.stop_worker() == 0);
        });
    CHECK(started == 3);
    CHECK(f.list("wait").size() == 7);
    CHECK_FALSE(f.exists("active"));
}

TEST_CASE("what does not end in time is given back to the front, without an attempt",
          "[integration][queue][worker]") {
    worker_fixture f;
    f.add("p", "5");
    f.add("p2", "5");
    f.add("w");
    queue::worker_options options;
    options.concurrency = 2;
    std::string reason;
    const auto begin = std::chrono::steady_clock::now();
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            if (job.id() == "w") {
                while (!job.should_stop()) {
                    try {
                        co_await sleep_for(1s); // is cancelled; the job notices between its steps
                    } catch (const system_error&) {
                    }
                }
                reason = job.stop_reason();
                throw queue::released_error("asked to stop");
            }
            co_await sleep_for(60s);
            co_return "1";
        },
        [](worker_fixture& w) -> task<void> {
            co_await w.until([&] { return w.worker().active() == 2; });
            CHECK(co_await w.stop_worker(100ms, 5s) == 0);
        });
    CHECK(std::chrono::steady_clock::now() - begin < 4s);
    CHECK(reason == "the worker stops");
    CHECK(f.count(kind::released) == 2);
    CHECK(f.list("wait") == strings{"w"});
    CHECK(f.sorted("prioritized") == strings{"p", "p2"});
    for (const char* id : {"w", "p"}) {
        CHECK(f.field(id, "atm") == "(nil)");
        CHECK(f.field(id, "stc") == "(nil)");
        CHECK_FALSE(f.exists(std::string{id} + ":lock"));
    }
    CHECK_FALSE(f.exists("active"));
}

TEST_CASE("a stop ends by its deadline with Redis gone", "[integration][queue][worker]") {
    redis_server server;
    worker_fixture f{"q", server};
    const auto begin = std::chrono::steady_clock::now();
    queue::worker_options options;
    options.concurrency = 2;
    std::chrono::steady_clock::duration stopping{};
    f.run(
        options,
        [](active_job&) -> task<std::string> {
            co_await sleep_for(60s);
            co_return "1";
        },
        [&](worker_fixture& w) -> task<void> {
            std::vector<queue::new_job> jobs(2);
            co_await w.queue().add_bulk(std::move(jobs));
            co_await w.until([&] { return w.worker().active() == 2; });
            server.kill();
            const auto from = std::chrono::steady_clock::now();
            CHECK(co_await w.stop_worker(200ms, 1500ms) == 2);
            stopping = std::chrono::steady_clock::now() - from;
        });
    CHECK(stopping < 2500ms);
    CHECK(std::chrono::steady_clock::now() - begin < 10s);
}

TEST_CASE("starting and stopping many times leaves nothing behind", "[integration][queue][worker]") {
    worker_fixture f;
    for (int i = 0; i < 30; ++i) {
        f.add("");
        f.run(
            {}, [](active_job&) -> task<std::string> { co_return "1"; },
            [&](worker_fixture& w) -> task<void> {
                if (i % 2) co_await w.outcomes(1);
                co_await w.stop_worker();
                CHECK(co_await w.stop_worker() == 0); // twice is fine
            });
    }
    CHECK_FALSE(f.exists("active"));
    CHECK(f.list("wait").size() + f.sorted("completed").size() == 30);
}

} // namespace
} // namespace tiktrend::testing
