// Jobs whose sum is more than one reply can carry.
#include "worker_fixture.hpp"

#include <tiktrend/queue/events.hpp>
#include <tiktrend/queue/queue_getters.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using kind = queue::worker_options::outcome::kind;

/// Adds jobs l1, l2, … with so many bytes of data each, made in Redis itself. place: wait, prioritized or
/// group.
void add_large(queue_fixture& f, int count, std::size_t bytes, const std::string& place = "wait") {
    REQUIRE(
        f.redis({"EVAL",
                 "local base, place = KEYS[1], ARGV[3] "
                 "for i = 1, ARGV[1] do "
                 "  local id = 'l' .. i "
                 "  redis.call('HSET', base .. id, 'name', 'a', 'data', '\"' .. string.rep('x', ARGV[2]) .. "
                 "'\"', "
                 "             'opts', '{}', 'timestamp', 1, 'delay', 0, 'priority', 0) "
                 "  if place == 'wait' then redis.call('LPUSH', base .. 'wait', id) "
                 "  elseif place == 'prioritized' then redis.call('ZADD', base .. place, 4294967296 + i, id) "
                 "  else "
                 "    redis.call('HSET', base .. id, 'gid', 'g', 'gpr', 0) "
                 "    redis.call('ZADD', base .. 'group:g:wait', i, id) "
                 "    redis.call('ZADD', base .. 'groups', 1, 'g') "
                 "    redis.call('INCR', base .. 'groups:waiting') "
                 "    redis.call('INCR', base .. 'groups:turn') "
                 "  end "
                 "end return redis.call('ZADD', base .. 'marker', 0, '0')",
                 "1", f.base(), std::to_string(count), std::to_string(bytes), place}) == "1");
}

strings numbered(int from, int to) {
    strings out;
    for (int i = from; i <= to; ++i)
        out.push_back("l" + std::to_string(i));
    return out;
}

TEST_CASE("a fetch takes no more than a reply can carry, and the rest stays in its order",
          "[integration][queue][script]") {
    queue_fixture f;
    const auto place = GENERATE(as<std::string>{}, "wait", "prioritized", "group");
    add_large(f, 40, 700'000, place);
    CHECK(f.fetch("F", 100) == numbered(1, 23)); // 16 MiB
    CHECK(f.redis({"GET", f.key("l23:lock")}) == "F");
    CHECK_FALSE(f.exists("l24:lock"));
    if (place == "group") CHECK(f.redis({"GET", f.key("groups:waiting")}) == "17");
    CHECK(f.fetch("G", 100) == numbered(24, 40));
    CHECK(f.fetch("H", 100).empty());
}

TEST_CASE("a job that is larger than the portion comes alone", "[integration][queue][script]") {
    queue_fixture f;
    add_large(f, 2, 20'000'000);
    CHECK(f.fetch("F", 100) == strings{"l1"});
    CHECK(f.fetch("G", 100) == strings{"l2"});
}

strings ids_in(const strings& reply) {
    strings out;
    for (const auto& line : reply)
        if (line.starts_with('l')) out.push_back(line);
    return out;
}

TEST_CASE("jobs of a call whose reply was lost are handed out in portions", "[integration][queue][script]") {
    queue_fixture f;
    add_large(f, 40, 700'000);
    f.fetch("C:1", 100);
    f.fetch("C:1", 100); // as if one call had taken all of them
    strings known;
    std::size_t rounds = 0;
    for (std::string more = "1"; more == "1"; ++rounds) {
        strings words{"C:1", "30000", "2000000", std::to_string(known.size())};
        words.insert(words.end(), known.begin(), known.end());
        const auto reply = lines(f.script("recover", words));
        const auto ids = ids_in(reply);
        known.insert(known.end(), ids.begin(), ids.end());
        more = reply.back();
    }
    CHECK(rounds == 2);
    CHECK(std::set<std::string>(known.begin(), known.end()).size() == 40);
}

queue::worker_options with_slots(std::size_t n) {
    queue::worker_options o;
    o.concurrency = n;
    o.drain_delay = 100ms;
    return o;
}

TEST_CASE("a worker runs jobs that are more in sum than a reply can carry", "[integration][queue][worker]") {
    worker_fixture f;
    add_large(f, 100, 700'000);
    f.run(
        with_slots(100), [](queue::active_job&) -> task<std::string> { co_return std::string{}; },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(100); }, 60s);
    CHECK(f.count(kind::completed) == 100);
}

TEST_CASE("a job that no reply can carry fails and holds up nobody", "[integration][queue][worker]") {
    worker_fixture f;
    add_large(f, 1, 52'000'000);
    f.add("small");
    std::vector<std::string> ran;
    f.run(
        with_slots(10),
        [&](queue::active_job& job) -> task<std::string> {
            ran.push_back(job.id());
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> { co_await w.outcomes(2); });
    CHECK(ran == strings{"small"});
    CHECK(f.field("l1", "failedReason").starts_with("the job has 52000"));
    CHECK(f.redis({"HSTRLEN", f.key("l1"), "data"}) == "52000002"); // it can still be looked at
}

TEST_CASE("large jobs are listed page by page over one connection", "[integration][queue]") {
    queue_fixture f;
    add_large(f, 100, 700'000);
    f.with_queue([](queue::queue& q) -> task<void> {
        queue::queue_getters getters{q};
        const auto jobs = co_await getters.jobs({queue::job_state::waiting}, 0, -1, true);
        REQUIRE(jobs.size() == 100);
        CHECK(jobs.front().id == "l1");
        CHECK(jobs.back().id == "l100");
        CHECK(q.client().connects() == 1);
    });
}

/// Adds `completed` events with so many bytes of value each, for the jobs e1, e2, ….
void add_events(queue_fixture& f, int count, std::size_t bytes) {
    f.redis({"EVAL",
             "for i = 1, ARGV[1] do "
             "  redis.call('XADD', KEYS[1], '*', 'event', 'completed', 'jobId', 'e' .. i, 'returnvalue', "
             "string.rep('x', ARGV[2])) "
             "end return 0",
             "1", f.key("events"), std::to_string(count), std::to_string(bytes)});
}

task<void> follow(queue_fixture& f, std::size_t expected, strings& heard) {
    queue::queue_events::options options;
    options.last_id = "0-0";
    queue::queue_events events{co_await asio::this_coro::executor, f.address(), f.name(),
                               [&](const queue::queue_event& e) { heard.emplace_back(e.job_id()); }, options};
    events.start();
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (heard.size() < expected && std::chrono::steady_clock::now() < deadline)
        co_await sleep_for(5ms);
    co_await events.stop();
}

TEST_CASE("a follower gets past events that are more than a reply can carry", "[integration][queue]") {
    queue_fixture f;
    strings heard;
    SECTION("in sum") {
        add_events(f, 500, 150'000);
        run_coroutine(follow(f, 500, heard), 30s);
        CHECK(heard.size() == 500);
        CHECK(heard.back() == "e500");
    }
    SECTION("each alone") {
        add_events(f, 1, 67'200'000);
        f.add("after");
        run_coroutine(follow(f, 3, heard), 30s);
        CHECK(heard == strings{"e1", "after", "after"}); // added, waiting
    }
}

TEST_CASE("a job's events are read among many large ones over one connection", "[integration][queue]") {
    queue_fixture f;
    add_events(f, 500, 150'000);
    f.with_queue([&f](queue::queue& q) -> task<void> {
        const auto one =
            co_await queue::queue_events::read_for_job(q.client(), q.key_base(), "e400", "0", 10);
        REQUIRE(one.size() == 1);
        CHECK(one[0].get("returnvalue").size() == 150'000);
        f.redis(
            {"EVAL",
             "for i = 1, 200 do redis.call('XADD', KEYS[1], '*', 'event', 'progress', 'jobId', 'e1', 'data', "
             "string.rep('x', 500000)) end return 0",
             "1", f.key("events")});
        CHECK(
            (co_await queue::queue_events::read_for_job(q.client(), q.key_base(), "e1", "0", 1000)).size() ==
            201);
        CHECK(q.client().connects() == 1);
    });
}

task<void> add_many(queue::queue& q, std::size_t count, std::string data, std::size_t& added,
                    std::size_t& overloaded) {
    std::vector<queue::new_job> jobs(count, queue::new_job{"a", std::move(data)});
    for (const auto& r : co_await q.add_bulk(std::move(jobs)))
        ++(r ? added : overloaded);
}

TEST_CASE("a bulk leaves in batches that a server takes, and no larger than a producer may hold",
          "[integration][queue]") {
    queue_fixture f;
    std::size_t added = 0, overloaded = 0;
    SECTION("large jobs") {
        f.redis({"CONFIG", "SET", "client-query-buffer-limit", "40000000"});
        f.with_queue([&](queue::queue& q) {
            return add_many(q, 60, '"' + std::string(1'000'000, 'x') + '"', added, overloaded);
        });
        f.redis({"CONFIG", "SET", "client-query-buffer-limit", "1073741824"});
        CHECK(added == 60);
    }
    SECTION("many jobs") {
        f.with_queue([&](queue::queue& q) { return add_many(q, 200'010, "1", added, overloaded); });
        CHECK(added == 200'000);
        CHECK(overloaded == 10);
    }
}

} // namespace
} // namespace tiktrend::testing
