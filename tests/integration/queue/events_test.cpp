#include "queue_fixture.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/events.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

task<void> follow(queue_fixture& f, strings& seen, bool breaks) {
    queue::queue_events::options options;
    options.last_id = "0";
    queue::queue_events events{
        co_await asio::this_coro::executor, f.address(), f.name(),
        [&](const queue::queue_event& e) { seen.push_back(e.name + " " + std::string{e.job_id()}); },
        options};
    events.start();
    const auto wait = [&](std::size_t n) -> task<void> {
        for (int i = 0; i < 2000 && seen.size() < n; ++i)
            co_await sleep_for(5ms);
    };
    f.add("a");
    co_await wait(2);
    if (breaks) f.redis({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    f.add("b", "4");
    f.fetch("T", 1);
    co_await wait(5);
    CHECK(f.redis({"CLIENT", "LIST"}).find("name=bull:cQ==:qe ") != std::string::npos);
    co_await events.stop();
    f.add("unseen");
}

TEST_CASE("events are followed in their order, over broken connections", "[integration][queue]") {
    queue_fixture f;
    strings seen;
    run_coroutine(follow(f, seen, GENERATE(false, true)));
    CHECK(seen == strings{"added a", "waiting a", "added b", "waiting b", "active a"});
}

task<void> follow_from_now(queue_fixture& f, strings& seen) {
    queue::queue_events::options options;
    options.block = 20ms; // many calls in a row
    queue::queue_events events{co_await asio::this_coro::executor, f.address(), f.name(),
                               [&](const queue::queue_event& e) {
                                   if (e.name == "added") seen.emplace_back(e.job_id());
                               },
                               options};
    f.add("before");
    events.start();
    for (int i = 0; i < 2000 && f.redis({"CLIENT", "LIST"}).find("cmd=xread") == std::string::npos; ++i)
        co_await sleep_for(5ms);
    for (int i = 0; i < 50; ++i) {
        f.add("");
        co_await sleep_for(2ms);
    }
    for (int i = 0; i < 2000 && seen.size() < 50; ++i)
        co_await sleep_for(5ms);
    co_await events.stop();
}

TEST_CASE("a follower that starts now misses nothing from then on", "[integration][queue]") {
    queue_fixture f;
    strings seen;
    run_coroutine(follow_from_now(f, seen));
    REQUIRE(seen.size() == 50);
    CHECK(seen.front() == "2");
    CHECK(seen.back() == "51");
}

task<void> read_one(queue_fixture& f) {
    redis::client client{co_await asio::this_coro::executor, f.address()};
    client.start();
    co_await client.wait_connected(5s);
    const auto all = co_await queue::queue_events::read_for_job(client, f.base(), "a", "0", 100);
    REQUIRE(all.size() == 3);
    CHECK(all[0].name == "added");
    CHECK(all[0].get("name") == "paint");
    CHECK(all[1].name == "waiting");
    CHECK(all[2].name == "progress");
    CHECK(all[2].get("data") == "50");
    CHECK(all[2].get("nothing").empty());
    const auto rest =
        co_await queue::queue_events::read_for_job(client, f.base(), "a", all[1].stream_id, 100);
    REQUIRE(rest.size() == 1);
    CHECK(rest[0].name == "progress");
    const auto first = co_await queue::queue_events::read_for_job(client, f.base(), "a", "0", 1);
    CHECK(first.size() == 1);
    co_await client.stop();
}

TEST_CASE("the events of one job can be read again from any point", "[integration][queue]") {
    queue_fixture f;
    f.add("a");
    f.add("b");
    f.script("update_progress", {"a", "50"});
    run_coroutine(read_one(f));
}

task<void> resume(queue_fixture& f) {
    redis::client client{co_await asio::this_coro::executor, f.address()};
    client.start();
    co_await client.wait_connected(5s);
    const auto from = [&](std::string after, std::size_t limit = 100, std::size_t looked_at = 5000) {
        return queue::queue_events::resume_job(client, f.base(), "a", std::move(after), limit, looked_at);
    };
    const auto all = co_await queue::queue_events::read_for_job(client, f.base(), "a", "0", 100);
    REQUIRE(all.size() == 3); // added and waiting come first, progress 300 entries later
    const auto rest = co_await from(all[0].stream_id);
    CHECK(rest.events.size() == 2);
    CHECK(rest.is_whole);
    const auto few = co_await from(all[0].stream_id, 100, 200);
    CHECK(few.events.size() == 1);
    CHECK_FALSE(few.is_whole); // there are entries that were not looked at
    const auto one = co_await from(all[0].stream_id, 1);
    CHECK(one.events.size() == 1);
    CHECK_FALSE(one.is_whole);
    const auto last = co_await from(all[2].stream_id);
    CHECK(last.events.empty());
    CHECK(last.is_whole);
    CHECK_FALSE((co_await from("1-0")).is_whole); // nobody knows what was before the first one

    f.redis({"XTRIM", f.key("events"), "MAXLEN", "10"});
    const auto trimmed = co_await from(all[0].stream_id);
    CHECK(trimmed.events.size() == 1); // progress
    CHECK_FALSE(trimmed.is_whole);
    f.redis({"DEL", f.key("events")});
    CHECK_FALSE((co_await from(all[0].stream_id)).is_whole);
    co_await client.stop();
}

TEST_CASE("who resumes learns whether events are missing, at a bounded cost", "[integration][queue]") {
    queue_fixture f;
    f.add("a");
    for (int i = 0; i < 150; ++i)
        f.add("other" + std::to_string(i));
    f.script("update_progress", {"a", "50"});
    run_coroutine(resume(f));
}

} // namespace
} // namespace tiktrend::testing
