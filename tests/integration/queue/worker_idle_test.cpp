// A worker with nothing to do: its fetch waits in Redis behind the marker.
#include "queue_fixture.hpp"
#include "slow_link.hpp"

#include <tiktrend/base/timeout.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::active_job;

task<void> until(std::function<bool()> done) {
    const auto deadline = std::chrono::steady_clock::now() + 25s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("what was waited for did not happen");
        co_await sleep_for(5ms);
    }
}

bool is_waiting(const queue_fixture& f) {
    return f.redis({"CLIENT", "LIST"}).find(" cmd=bzpopmin ") != std::string::npos;
}

task<std::string> note(int& runs) {
    ++runs;
    co_return "1";
}

/// A worker behind a link on which every word takes `delay`, waiting for work.
struct distant_worker {
    distant_worker(asio::any_io_executor executor, queue_fixture& f, std::chrono::milliseconds delay)
        : link{executor, f.server().port(), slow(delay)},
          worker{executor, link.address(), f.name(), [this](active_job&) { return note(runs); },
                 options(this)} {
        worker.start();
    }
    task<void> stop() {
        const auto soon = std::chrono::steady_clock::now() + 5s;
        CHECK(co_await worker.stop(soon, soon) == 0);
        co_await link.stop();
    }

    int runs = 0, ended = 0;
    std::size_t stalled = 0;
    slow_link link;
    queue::worker worker;

private:
    static slow_link::quality slow(std::chrono::milliseconds delay) {
        slow_link::quality q;
        q.delay = delay;
        return q;
    }
    static queue::worker_options options(distant_worker* self) {
        queue::worker_options o;
        o.stalled_interval = 500ms;
        o.on_stalled = [self](std::size_t n) { self->stalled += n; };
        o.on_outcome = [self](const queue::worker_options::outcome&) { ++self->ended; };
        return o;
    }
};

task<void> one_way(queue_fixture& f) {
    distant_worker w{co_await asio::this_coro::executor, f, 300ms};
    co_await until([&] { return is_waiting(f); });
    const auto added = std::chrono::steady_clock::now();
    f.add("");
    co_await until([&] { return w.runs == 1; });
    CHECK(std::chrono::steady_clock::now() - added < 850ms); // a fetch after the wake-up would take 900
    co_await until([&] { return w.ended == 1; });
    co_await w.stop();
}

TEST_CASE("an idle worker gets its job in the reply that wakes it", "[integration][queue][worker]") {
    queue_fixture f;
    run_coroutine(one_way(f), 30s);
    CHECK(f.sorted("completed") == strings{"1"});
    CHECK(f.field("1", "ats") == "1");
    // By the worker's clock, which has gone on since the fetch was sent.
    const auto begun = std::stoll(f.field("1", "processedOn"));
    CHECK(begun > 1'600'000'000'000);
    CHECK(begun <= std::stoll(f.field("1", "finishedOn")));
}

task<void> lose_the_reply(queue_fixture& f) {
    distant_worker w{co_await asio::this_coro::executor, f, 0ms};
    co_await until([&] { return is_waiting(f); });
    w.link.hold();
    f.add("");
    co_await until([&] { return f.list("active") == strings{"1"}; });
    f.redis({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    w.link.let_go();
    co_await until([&] { return w.ended == 1; });
    CHECK(w.runs == 1);
    CHECK(w.stalled == 0);
    co_await w.stop();
}

TEST_CASE("a job whose fetch was lost on the way back is run all the same",
          "[integration][queue][worker][fault]") {
    queue_fixture f;
    run_coroutine(lose_the_reply(f), 60s);
    CHECK(f.sorted("completed") == strings{"1"});
    CHECK(f.field("1", "ats") == "1");
    CHECK(f.field("1", "stc") == "(nil)");
}

task<void> stop_idle(queue_fixture& f, bool with_pause) {
    distant_worker w{co_await asio::this_coro::executor, f, 0ms};
    co_await until([&] { return is_waiting(f); });
    if (with_pause) {
        w.worker.pause();
        co_await until([&] { return !is_waiting(f); });
        f.add("");
        CHECK(f.list("wait") == strings{"1"});
        w.worker.resume();
        co_await until([&] { return w.ended == 1; });
    }
    co_await w.stop();
}

TEST_CASE("an idle worker that ends or pauses takes its fetch along", "[integration][queue][worker]") {
    queue_fixture f;
    SECTION("ends") {
        run_coroutine(stop_idle(f, false), 30s);
        f.add("");
        CHECK(f.list("wait") == strings{"1"});
        CHECK_FALSE(f.exists("active"));
    }
    SECTION("pauses") {
        run_coroutine(stop_idle(f, true), 30s);
        CHECK(f.sorted("completed") == strings{"1"});
    }
}

TEST_CASE("a worker that may not ask Redis for its time fetches after it has woken",
          "[integration][queue][worker]") {
    queue_fixture f;
    f.redis({"ACL", "SETUSER", "timeless", "on", ">secret", "~*", "&*", "+@all", "-time"});
    run_coroutine(
        [](queue_fixture& on) -> task<void> {
            auto where = on.address();
            where.user = "timeless";
            where.password = "secret";
            int runs = 0;
            queue::worker w{co_await asio::this_coro::executor, where, on.name(),
                            [&runs](active_job&) { return note(runs); }};
            w.start();
            co_await until([&] { return is_waiting(on); });
            on.add("");
            co_await until([&] { return on.sorted("completed").size() == 1; });
            CHECK(runs == 1);
            const auto soon = std::chrono::steady_clock::now() + 5s;
            CHECK(co_await w.stop(soon, soon) == 0);
        }(f),
        30s);
    f.redis({"ACL", "DELUSER", "timeless"});
}

TEST_CASE("a script that Redis has forgotten is sent again by an idle worker",
          "[integration][queue][worker]") {
    queue_fixture f;
    run_coroutine(
        [](queue_fixture& on) -> task<void> {
            distant_worker w{co_await asio::this_coro::executor, on, 0ms};
            for (int i = 1; i <= 3; ++i) {
                co_await until([&] { return is_waiting(on); });
                on.redis({"SCRIPT", "FLUSH"});
                on.add("");
                co_await until([&] { return w.ended == i; });
            }
            co_await w.stop();
        }(f),
        30s);
    CHECK(f.sorted("completed").size() == 3);
}

} // namespace
} // namespace tiktrend::testing
