// queue_admin and queue_settings on a real server.
#include "queue_fixture.hpp"
#include "refusals.hpp"

#include <tiktrend/queue/queue_admin.hpp>
#include <tiktrend/queue/queue_settings.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::errc;
using queue::job_state;
using queue::queue_admin;
using queue::queue_settings;

void add_many(queue_fixture& f, int n) {
    strings words{"EVAL",
                  "for i = 1, tonumber(ARGV[1]) do redis.call('LPUSH', KEYS[1] .. 'wait', i) "
                  "redis.call('HSET', KEYS[1] .. i, 'name', 'n', 'timestamp', '10') end",
                  "1", f.base(), std::to_string(n)};
    f.redis(std::move(words));
}

task<void> drain_all(queue::queue& q, std::vector<std::size_t>& told) {
    const auto removed = co_await queue_admin{q}.drain(false, [&told](std::size_t n) { told.push_back(n); });
    CHECK(removed == 2500);
}

TEST_CASE("settings are written, read and removed", "[integration][queue]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_settings s{q};
        co_await q.initialize();
        CHECK((co_await s.version()).starts_with("tiktrend-queue:"));
        CHECK_FALSE(co_await s.global_concurrency());
        co_await s.set_global_concurrency(7);
        CHECK((co_await s.global_concurrency()) == 7);
        CHECK_FALSE(co_await s.is_maxed());
        CHECK_FALSE(co_await s.global_rate_limit());
        const queue::rate_limit limit{10, 2s};
        co_await s.set_global_rate_limit(limit);
        CHECK((co_await s.global_rate_limit()) == limit);
        co_await s.set_max_events(500);
        co_await q.pause();
        const auto meta = co_await s.meta();
        CHECK(meta.paused);
        CHECK(meta.concurrency == 7);
        CHECK(meta.max == 10);
        CHECK(meta.duration_ms == 2000);
        CHECK(meta.max_events == 500);
        co_await s.remove_global_concurrency();
        co_await s.remove_global_rate_limit();
        const auto after = co_await s.meta();
        CHECK_FALSE(after.concurrency);
        CHECK_FALSE(after.max);
        CHECK_FALSE(after.duration_ms);
    });
}

TEST_CASE("a rate limit by hand lasts as long as it is told", "[integration][queue]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_settings s{q};
        CHECK((co_await s.rate_limit_ttl()) == 0ms);
        co_await s.limit_now(60s);
        CHECK((co_await s.rate_limit_ttl()) > 50s);
        CHECK((co_await s.rate_limit_ttl(1'000'000)) > 50s);
        CHECK(co_await s.remove_rate_limit_key());
        CHECK_FALSE(co_await s.remove_rate_limit_key());
        CHECK((co_await s.rate_limit_ttl()) == 0ms);
    });
}

TEST_CASE("long operations run in bounded calls and tell how far they are", "[integration][queue]") {
    queue_fixture f;
    add_many(f, 2500);
    std::vector<std::size_t> told;
    f.with_queue([&told](queue::queue& q) { return drain_all(q, told); }); // not a coroutine itself
    CHECK(told == std::vector<std::size_t>{1000, 2000, 2500});
    CHECK(f.keys().empty());

    add_many(f, 2500);
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_admin admin{q};
        CHECK((co_await admin.clean(0ms, 1500, job_state::waiting)).size() == 1500);
        const auto ids = co_await admin.clean(0ms, 0, job_state::waiting);
        REQUIRE(ids.size() == 1000);
        CHECK(ids.front() == "1501"); // the next to run first
    });
    CHECK(f.keys() == std::set<std::string>{"events"});
    CHECK(f.events() == strings{"cleaned count=1000", "cleaned count=500", "cleaned count=1000"});
}

TEST_CASE("clean keeps what is younger than the grace", "[integration][queue]") {
    queue_fixture f;
    manual_clock clock{1'000'000};
    queue::queue_options options;
    options.clock = &clock;
    f.add("old", "0", "0", 900'000);
    f.add("young", "0", "0", 999'000);
    f.redis({"HSET", f.key("v5"), "name", "n", "timestamp", "5"});
    f.redis({"LPUSH", f.key("paused"), "v5"});
    f.with_queue(
        [](queue::queue& q) -> task<void> {
            CHECK((co_await queue_admin{q}.clean(10s, 0, job_state::waiting)) == strings{"old", "v5"});
        },
        options);
    CHECK(f.list("wait") == strings{"young"});
}

TEST_CASE("an obliterated queue leaves nothing behind", "[integration][queue]") {
    queue_fixture f{"[q]*"};
    f.add("a");
    f.add("b", "4");
    f.add("run");
    f.fetch("T", 1);
    f.redis({"HSET", f.key("lost"), "name", "in no state"});
    f.redis({"SET", f.key("de:stale"), "evicted"});
    f.redis({"SET", "bull:other:1", "stays"});
    f.redis({"HSET", "bull:qx:1", "name", "stays"}); // would match the name taken as a pattern
    f.with_queue([](queue::queue& q) -> task<void> {
        co_await q.initialize();
        queue_admin admin{q};
        CHECK(co_await is_refused(drop(admin.obliterate()), errc::queue_is_active));
        CHECK(co_await q.is_paused());
        queue::obliterate_options force;
        force.force = true;
        force.count = 2;
        CHECK((co_await admin.obliterate(force)) == 4);
    });
    CHECK(f.redis({"KEYS", "*"}).find("[q]") == std::string::npos);
    CHECK(f.redis({"EXISTS", "bull:other:1", "bull:qx:1"}) == "2");
}

TEST_CASE("all failed jobs are retried and all delayed ones promoted", "[integration][queue]") {
    queue_fixture f;
    for (int i = 0; i < 25; ++i) {
        const auto id = "d" + std::to_string(i);
        f.add(id, "0", "60000");
        f.redis({"HSET", f.key("f" + std::to_string(i)), "name", "n"});
        f.redis({"ZADD", f.key("failed"), std::to_string(i), "f" + std::to_string(i)});
    }
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_admin admin{q};
        queue::retry_all_options options;
        options.count = 10;
        options.finished_until_ms = 19;
        CHECK((co_await admin.retry_all(options)) == 20);
        options.finished_until_ms.reset();
        CHECK((co_await admin.retry_all(options)) == 5);
        CHECK((co_await admin.promote_all(10)) == 25);
        const auto counts = co_await q.counts();
        CHECK(counts.waiting == 50);
        CHECK(counts.delayed + counts.failed == 0);
    });
}

TEST_CASE("orphans are found by a scan, up to a limit", "[integration][queue]") {
    queue_fixture f;
    for (int i = 0; i < 30; ++i)
        f.redis({"HSET", f.key("lost-" + std::to_string(i)), "name", "n"});
    f.add("kept");
    f.redis({"HSET", f.key("metrics:failed"), "count", "1"});
    f.redis({"HSET", f.key("dn:X"), "name", "n"});
    f.redis({"HSET", f.key("repeat:s"), "name", "n"});
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_admin admin{q};
        CHECK((co_await admin.remove_orphaned_jobs(10, 7)) == 7);
        CHECK((co_await admin.remove_orphaned_jobs()) == 23);
        CHECK((co_await admin.remove_orphaned_jobs()) == 0);
    });
    CHECK(f.keys() == std::set<std::string>{"dn:X", "events", "id", "kept", "marker", "meta",
                                            "metrics:failed", "repeat:s", "wait"});
}

TEST_CASE("events are trimmed and old keys removed on request", "[integration][queue]") {
    queue_fixture f;
    for (int i = 0; i < 300; ++i)
        f.redis({"XADD", f.key("events"), "*", "event", "x"});
    f.redis({"ZADD", f.key("priority"), "1", "1"});
    f.redis({"SET", f.key("de:X"), "1"});
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_admin admin{q};
        CHECK((co_await admin.trim_events(0)) == 300);
        CHECK(co_await admin.remove_deprecated_priority_key());
        CHECK_FALSE(co_await admin.remove_deprecated_priority_key());
        CHECK(co_await admin.remove_deduplication_key("X"));
        CHECK_FALSE(co_await admin.remove_deduplication_key("X"));
    });
    CHECK(f.keys() == std::set<std::string>{"events"}); // an empty stream
}

TEST_CASE("an argument out of range is named and refused before Redis is touched", "[integration][queue]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_admin admin{q};
        queue_settings settings{q};
        const auto says = [](task<void> work) { return refusal(std::move(work)); };
        CHECK((co_await says(drop(admin.clean(-1ms, 0)))) ==
              "grace = -1: expected a whole number from 0 to 315360000000");
        CHECK(
            (co_await says(drop(admin.clean(0ms, 0, job_state::waiting_children)))) ==
            "state = waiting-children: expected completed, failed, waiting, active, delayed or prioritized");
        CHECK((co_await says(drop(admin.promote_all(0)))) ==
              "count = 0: expected a whole number from 1 to 10000");
        queue::retry_all_options active;
        active.state = job_state::active;
        CHECK((co_await says(drop(admin.retry_all(active)))) ==
              "state = active: expected completed or failed");
        queue::obliterate_options none;
        none.count = 0;
        CHECK((co_await says(drop(admin.obliterate(none)))).starts_with("count = 0"));
        CHECK((co_await says(drop(admin.trim_events(-1)))).starts_with("length = -1"));
        CHECK(
            (co_await says(drop(admin.remove_deduplication_key("")))).starts_with("deduplication id = \"\""));
        CHECK((co_await says(settings.set_global_concurrency(0))).starts_with("concurrency = 0"));
        CHECK((co_await says(settings.set_global_rate_limit({0, 1s}))).starts_with("max = 0"));
        CHECK((co_await says(settings.set_global_rate_limit({1, 0ms}))).starts_with("duration = 0"));
        CHECK((co_await says(settings.limit_now(0ms))).starts_with("duration = 0"));
        CHECK((co_await says(settings.set_max_events(-1))).starts_with("max_events = -1"));
    });
    CHECK(f.keys().empty());
}

} // namespace
} // namespace tiktrend::testing
