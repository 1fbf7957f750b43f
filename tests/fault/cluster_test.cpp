#include "queue_load.hpp"

#include <tiktrend/queue/events.hpp>
#include <tiktrend/queue/queue_getters.hpp>
#include <tiktrend/queue/worker.hpp>
#include <tiktrend/redis/subscriber.hpp>
#include <tiktrend/testing/redis_topologies.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

namespace tiktrend::testing {
namespace {

using namespace std::chrono_literals;

redis_cluster& shared_cluster() {
    static redis_cluster instance;
    return instance;
}

task<std::string> do_nothing(queue::active_job&) {
    co_return "null";
}

redis::address address_of(const redis_cluster& c) {
    return redis::parse_url("redis+cluster://" + c.hosts()).value();
}

task<void> move_the_slot(redis_cluster& servers) {
    const std::string name = "{moving}";
    queue_load load{co_await asio::this_coro::executor, address_of(servers), name};
    load.start();
    co_await load.until("some jobs done", [&] { return load.completed().size() >= 100; });
    for (int round = 0; round < 3; ++round) {
        const auto from = servers.owner_of("bull:{moving}:meta");
        const auto to = (from + 1) % servers.size();
        const auto slot = servers.slot_of("{moving}");
        servers.begin_move(slot, from, to);
        while (servers.move_keys(slot, from, to, 300) > 0)
            co_await sleep_for(5ms); // jobs go on being asked for meanwhile
        servers.end_move(slot, from, to);
        const auto before = load.completed().size();
        co_await load.until("jobs done by the new owner", [&] { return load.completed().size() >= before + 100; });
    }
    load.stop_adding();
    co_await load.until("all jobs done", [&] {
        return std::all_of(load.acknowledged().begin(), load.acknowledged().end(),
                           [&](const queue_load::added& job) { return load.completed().contains(job.id); });
    });
    std::size_t more_than_once = 0;
    for (const auto& [id, runs] : load.runs())
        if (runs > 1) ++more_than_once;
    CHECK(more_than_once == 0);
    CHECK(load.acknowledged().size() >= 300);
    const auto counts = co_await load.queue().counts();
    CHECK(counts.waiting + counts.active + counts.failed == 0);
    co_await load.stop();
}

TEST_CASE("a queue whose slot moves from node to node under load loses nothing and does nothing twice",
          "[fault][cluster]") {
    run_coroutine(move_the_slot(shared_cluster()), 120s);
}

task<void> spread_over_nodes(redis_cluster& servers) {
    redis::client client{co_await asio::this_coro::executor, address_of(servers)};
    client.start();
    co_await client.wait_connected(5s);
    CHECK(client.connects() == 3);
    std::vector<redis::command> sets;
    for (int i = 0; i < 60; ++i)
        sets.emplace_back("SET", "k" + std::to_string(i), i);
    for (const auto& r : co_await client.exec_all(sets))
        CHECK(r.text() == "OK");
    std::size_t nodes_with_keys = 0;
    for (std::size_t i = 0; i < servers.size(); ++i)
        nodes_with_keys += servers.node(i).command({"DBSIZE"}) != "0";
    CHECK(nodes_with_keys == 3);

    const redis::script sum{"sum", "return redis.call('GET', KEYS[1]) + ARGV[1]"};
    for (int i = 0; i < 60; ++i) {
        const auto key = "k" + std::to_string(i);
        const std::string_view keys[]{key}, args[]{"1"};
        CHECK((co_await client.eval(sum, keys, args)).integer() == i + 1);
    }
    const redis::command transaction[]{redis::command{"MULTI"}, redis::command{"INCR", "{t}a"},
                                       redis::command{"INCR", "{t}b"}, redis::command{"EXEC"}};
    const auto replies = co_await client.exec_all(transaction);
    CHECK(replies.at(3).size() == 2);
    co_await client.stop();
}

TEST_CASE("commands go to the node of their key, each in its turn", "[fault][cluster]") {
    run_coroutine(spread_over_nodes(shared_cluster()), 60s);
}

/// Three queues on different nodes, a listener each: whoever looks sees them all.
task<void> look_at_every_node(redis_cluster& servers) {
    const auto executor = co_await asio::this_coro::executor;
    redis::client client{executor, address_of(servers)};
    client.start();
    co_await client.wait_connected(5s);
    const redis::command ping{"PING"};
    CHECK((co_await client.exec_on_every_node(ping)).size() == servers.size());
    std::set<std::size_t> owners;
    for (int i = 0; owners.size() < servers.size(); ++i) {
        const auto name = "{seen" + std::to_string(i) + "}";
        if (!owners.insert(servers.owner_of("bull:" + name + ":meta")).second) continue;
        queue::queue q{client, name};
        co_await q.initialize();
        queue::worker_options options;
        options.name = "w" + std::to_string(i);
        queue::worker worker{executor, address_of(servers), name, do_nothing, options};
        worker.start();
        std::vector<queue::client_info> seen;
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        do {
            seen = co_await queue::queue_getters{q}.workers();
            if (seen.empty()) co_await sleep_for(20ms);
        } while (seen.empty() && std::chrono::steady_clock::now() < deadline);
        REQUIRE(seen.size() == 1);
        CHECK(seen[0].name == options.name);
        const auto now = std::chrono::steady_clock::now();
        co_await worker.stop(now + 5s, now + 6s);
    }
    const auto keys = co_await client.scan("bull:{seen*:meta", 100);
    CHECK(std::set<std::string>(keys.begin(), keys.end()).size() == servers.size());
    CHECK((co_await client.scan("bull:{seen*:meta", 2)).size() == 2);
    co_await client.stop();
}

TEST_CASE("workers and queues are found on every node", "[fault][cluster]") {
    run_coroutine(look_at_every_node(shared_cluster()), 90s);
}

/// A slot half way: one key is there already, one still here.
task<void> ask_half_way(redis_cluster& servers) {
    redis::client client{co_await asio::this_coro::executor, address_of(servers)};
    client.start();
    co_await client.wait_connected(5s);
    const auto slot = servers.slot_of("{half}");
    const auto from = servers.owner_of("{half}a");
    const auto to = (from + 1) % servers.size();
    co_await client.exec(redis::command{"SET", "{half}a", "1"});
    servers.begin_move(slot, from, to);
    CHECK((co_await client.exec(redis::command{"GET", "{half}a"})).text() == "1"); // still here
    CHECK(servers.move_keys(slot, from, to, 10) == 1);
    CHECK((co_await client.exec(redis::command{"GET", "{half}a"})).text() == "1"); // ASK
    CHECK((co_await client.exec(redis::command{"SET", "{half}b", "2"})).text() == "OK");

    // A script needs both sides, so it waits.
    const redis::script read{"read", "return redis.call('GET', KEYS[1])"};
    task_group running{co_await asio::this_coro::executor};
    std::string value;
    struct reader {
        static task<void> run(redis::client& c, const redis::script& s, std::string& out) {
            const std::string_view keys[]{"{half}c"};
            const auto r = co_await c.eval(s, keys, {});
            out = r.is_nil() ? "nil" : std::string{r.text()};
        }
    };
    running.spawn("reader", reader::run(client, read, value));
    co_await sleep_for(100ms);
    CHECK(value.empty());
    servers.end_move(slot, from, to);
    co_await running.join();
    CHECK(value == "nil");
    CHECK((co_await client.exec(redis::command{"GET", "{half}b"})).text() == "2"); // MOVED
    CHECK(servers.owner_of("{half}a") == to);
    co_await client.stop();
}

TEST_CASE("a slot on its way is asked for where it is, and scripts wait for its arrival", "[fault][cluster]") {
    run_coroutine(ask_half_way(shared_cluster()), 60s);
}

task<void> wait_too_long(redis_cluster& servers) {
    redis::client_options options;
    options.command_timeout = 300ms;
    redis::client client{co_await asio::this_coro::executor, address_of(servers), options};
    client.start();
    co_await client.wait_connected(5s);
    const auto slot = servers.slot_of("{stuck}");
    const auto from = servers.owner_of("{stuck}");
    const auto to = (from + 1) % servers.size();
    servers.begin_move(slot, from, to);
    const redis::script read{"read", "return redis.call('GET', KEYS[1])"};
    error_code seen;
    try {
        const std::string_view keys[]{"{stuck}"};
        co_await client.eval(read, keys, {});
    } catch (const system_error& e) {
        seen = e.code();
    }
    CHECK(seen == redis::errc::not_ready);
    CHECK(redis::is_certainly_not_executed(seen));
    servers.end_move(slot, from, to);
    co_await client.stop();
}

TEST_CASE("a script does not wait for a slot longer than for a reply", "[fault][cluster]") {
    run_coroutine(wait_too_long(shared_cluster()), 60s);
}

task<void> subscribe(redis_cluster& servers) {
    const auto executor = co_await asio::this_coro::executor;
    std::vector<std::string> heard;
    redis::subscriber::handlers h;
    h.on_message = [&heard](std::string_view, std::string_view text) { heard.emplace_back(text); };
    redis::subscriber subscriber{executor, address_of(servers), h};
    CHECK_THROWS_AS(subscriber.track("k"), std::logic_error);
    subscriber.subscribe("news");
    subscriber.start();
    for (int i = 0; i < 500 && heard.empty(); ++i) {
        servers.node(static_cast<std::size_t>(i) % 3).command({"PUBLISH", "news", "hello"});
        co_await sleep_for(10ms);
    }
    CHECK_FALSE(heard.empty());
    co_await subscriber.stop();
}

TEST_CASE("a subscriber hears what any node of a cluster is told", "[fault][cluster]") {
    run_coroutine(subscribe(shared_cluster()), 60s);
}

} // namespace
} // namespace tiktrend::testing
