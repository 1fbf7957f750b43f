#include "queue_fixture.hpp"
#include "refusals.hpp"
#include "slow_link.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/job_operations.hpp>
#include <tiktrend/queue/job_waiter.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::errc;
using queue::job_operations;
using queue::job_waiter;
using queue::lock_token;

/// The value, "failed: <reason>", or the message of another error.
task<std::string> outcome(job_waiter& waiter, std::string id, std::chrono::milliseconds ttl = 20s) {
    try {
        co_return co_await waiter.wait(std::move(id), ttl);
    } catch (const queue::job_failed_error& e) {
        co_return std::string{"failed: "} + e.what();
    } catch (const system_error& e) {
        co_return e.code().message();
    }
}

task<void> store_outcome(job_waiter& waiter, std::string id, std::string& out) {
    out = co_await outcome(waiter, std::move(id));
}

task<void> wait_for_ends(queue::queue& q) {
    job_waiter::options options;
    options.look_again = 600s; // the events have to tell
    job_waiter waiter{q, options};
    waiter.start();
    std::string a, b, b_again, c;
    {
        task_group group{co_await asio::this_coro::executor};
        group.spawn("a", store_outcome(waiter, "a", a));
        group.spawn("b", store_outcome(waiter, "b", b));
        group.spawn("b", store_outcome(waiter, "b", b_again));
        group.spawn("c", store_outcome(waiter, "c", c));
        job_operations ops{q};
        const lock_token mine{"T"};
        co_await ops.move_to_completed("a", "[1]", mine);
        co_await ops.move_to_failed("b", "bad", mine);
        co_await ops.move_to_wait("c", mine);
        CHECK(co_await ops.remove("c"));
        co_await group.join();
    }
    CHECK(a == "[1]");
    CHECK(b == "failed: bad");
    CHECK(b_again == "failed: bad");
    CHECK(c == "there is no such job");
    // What has ended already is seen at once.
    CHECK((co_await outcome(waiter, "a")) == "[1]");
    CHECK((co_await outcome(waiter, "b")) == "failed: bad");
    CHECK((co_await outcome(waiter, "nobody")) == "there is no such job");
    CHECK((co_await refusal(drop(waiter.wait("a", 0ms)))).starts_with("ttl = 0"));
    co_await waiter.stop();
    CHECK((co_await outcome(waiter, "a")) == error_code{tiktrend::errc::stopped}.message());
}

TEST_CASE("the end of a job is waited for", "[integration][queue]") {
    queue_fixture f;
    for (const char* id : {"a", "b", "c"})
        f.add(id);
    f.fetch("T", 3);
    f.with_queue(wait_for_ends);
}

task<void> wait_in_vain(queue::queue& q) {
    job_waiter waiter{q};
    waiter.start();
    CHECK((co_await outcome(waiter, "a", 100ms)) == error_code{tiktrend::errc::timed_out}.message());
    std::string stopped;
    {
        task_group group{co_await asio::this_coro::executor};
        group.spawn("wait", store_outcome(waiter, "a", stopped));
        co_await waiter.stop();
        co_await group.join();
    }
    CHECK(stopped == error_code{tiktrend::errc::stopped}.message());
}

TEST_CASE("a wait ends with its time or with the waiter", "[integration][queue]") {
    queue_fixture f;
    f.add("a");
    f.with_queue(wait_in_vain);
}

task<void> lose_the_event(queue_fixture& f, queue::queue& q) {
    job_waiter::options options;
    options.look_again = 50ms;
    job_waiter waiter{q, options};
    waiter.start();
    std::string a;
    {
        task_group group{co_await asio::this_coro::executor};
        group.spawn("wait", store_outcome(waiter, "a", a));
        f.redis({"LREM", f.key("wait"), "0", "a"}); // as if the event had been trimmed away
        f.redis({"HSET", f.key("a"), "returnvalue", "7"});
        f.redis({"ZADD", f.key("completed"), "1", "a"});
        co_await group.join();
    }
    CHECK(a == "7");
    co_await waiter.stop();
}

TEST_CASE("an end without an event is seen all the same", "[integration][queue]") {
    queue_fixture f;
    f.add("a");
    f.with_queue([&f](queue::queue& q) { return lose_the_event(f, q); });
}

task<void> stop_while_looking(queue_fixture& f) {
    const auto executor = co_await asio::this_coro::executor;
    slow_link link{executor, f.server().port()};
    redis::client client{executor, link.address()};
    client.start();
    co_await client.wait_connected(5s);
    std::string a;
    {
        task_group group{executor};
        queue::queue q{client, f.name()};
        auto waiter = std::make_unique<job_waiter>(q);
        waiter->start();
        group.spawn("wait", store_outcome(*waiter, "a", a));
        while (f.redis({"INFO", "commandstats"}).find("cmdstat_xread:") == std::string::npos)
            co_await sleep_for(2ms);
        link.hold(); // whoever looks now gets no answer
        group.spawn("wait", store_outcome(*waiter, "a", a));
        co_await sleep_for(5ms);
        const auto begin = std::chrono::steady_clock::now();
        co_await waiter->stop();
        CHECK(std::chrono::steady_clock::now() - begin < 3s); // not the client's five
        waiter.reset();                                       // at once, as its owner may
        co_await group.join();
    }
    CHECK(a == error_code{tiktrend::errc::stopped}.message());
    link.let_go();
    co_await client.stop();
    co_await link.stop();
}

TEST_CASE("a waiter whose look at a job gets no answer stops, and may go", "[integration][queue]") {
    queue_fixture f;
    f.redis({"CONFIG", "RESETSTAT"});
    f.add("a");
    run_coroutine(stop_while_looking(f), 30s);
}

/// The connection that waits for events; empty: there is none.
std::string blocked_follower(const queue_fixture& f) {
    for (const auto& line : lines(f.redis({"CLIENT", "LIST"})))
        if (line.find(" cmd=xread ") != std::string::npos && line.find(" flags=b") != std::string::npos)
            return line.substr(3, line.find(' ') - 3);
    return {};
}

task<void> lose_job_and_event(queue_fixture& f, queue::queue& q) {
    job_waiter::options options;
    options.look_again = 50ms;
    job_waiter waiter{q, options};
    waiter.start();
    std::string a;
    {
        task_group group{co_await asio::this_coro::executor};
        group.spawn("wait", store_outcome(waiter, "a", a));
        std::string follower;
        const auto was_looked_at = [&] {
            return f.redis({"INFO", "commandstats"}).find("cmdstat_zscore:") != std::string::npos;
        };
        while ((follower = blocked_follower(f)).empty() || !was_looked_at())
            co_await sleep_for(2ms);
        f.redis({"CLIENT", "KILL", "ID", follower}); // nobody follows for the moment
        f.script("finish_and_fetch",
                 finish_words(2'000'000, {{"completed", "a", "T", "7", "", "0", "", "", "0", ""}}));
        co_await group.join();
    }
    CHECK(a == "7");
    co_await waiter.stop();
}

TEST_CASE("a job that ended and went while the events were out of reach is not taken for a missing one",
          "[integration][queue]") {
    queue_fixture f;
    f.add("a");
    f.fetch("T", 1);
    f.redis({"CONFIG", "RESETSTAT"});
    f.with_queue([&f](queue::queue& q) { return lose_job_and_event(f, q); });
}

} // namespace
} // namespace tiktrend::testing
