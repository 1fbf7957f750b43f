#include "queue_load.hpp"
#include "stop_after.hpp"

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

redis::address tls_address_of(const redis_cluster& c) {
    return redis::parse_url("rediss+cluster://" + c.hosts() + "?ca=" + c.ca_file()).value();
}

/// Runs `body` with a connected client, and stops that whatever happens.
using client_body = task<void> (*)(redis::client&, redis_cluster&);
task<void> with_client_at(redis::address where, redis_cluster& servers, client_body body,
                          redis::client_options options = redis::client_options{}) {
    redis::client client{co_await asio::this_coro::executor, std::move(where), std::move(options)};
    client.start();
    co_await stop_after(60s, body(client, servers), client.stop());
}
task<void> with_client(redis_cluster& servers, client_body body,
                       redis::client_options options = redis::client_options{}) {
    return with_client_at(address_of(servers), servers, body, std::move(options));
}

using load_body = task<void> (*)(queue_load&, redis_cluster&);
task<void> with_load(redis::address where, redis_cluster& servers, std::string queue, load_body body) {
    queue_load load{co_await asio::this_coro::executor, where, std::move(queue)};
    load.start();
    co_await stop_after(120s, body(load, servers), load.stop());
}

task<void> move_the_slot(queue_load& load, redis_cluster& servers) {
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
        co_await load.until("jobs done by the new owner",
                            [&] { return load.completed().size() >= before + 100; });
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
}

TEST_CASE("a queue whose slot moves from node to node under load loses nothing and does nothing twice",
          "[fault][cluster]") {
    run_coroutine(with_load(address_of(shared_cluster()), shared_cluster(), "{moving}", move_the_slot), 150s);
}

/// The node that owns the queue is lost, and its replica takes over.
task<void> lose_the_owner(queue_load& load, redis_cluster& servers) {
    co_await load.until("some jobs done", [&] { return load.completed().size() >= 200; });
    const auto key = load.queue().key_base() + "meta";
    const auto old_owner = servers.owner_of(key);
    const auto killed_at = queue_load::clock::now();
    servers.node(old_owner).kill();
    const auto before = load.acknowledged().size();
    co_await load.until("adds by the replica", [&] { return load.acknowledged().size() >= before + 200; });
    load.stop_adding();
    const auto owner = servers.owner_of(key);
    CHECK(owner != old_owner);
    const auto& master = servers.node(owner);
    const auto base = load.queue().key_base();
    co_await load.until("an empty queue", [&] {
        return master.command({"LLEN", base + "wait"}) == "0" &&
               master.command({"LLEN", base + "active"}) == "0";
    });
    const auto lost = load.look_at(master, killed_at, before);
    WARN("acknowledged "
         << load.acknowledged().size() << ", lost by replication " << lost.gone << ", without an owner for "
         << std::chrono::duration_cast<std::chrono::milliseconds>(load.longest_outage()).count()
         << " ms, refused adds " << load.failed_adds());
    CHECK(lost.gone_long_ago == 0);
    CHECK(lost.not_completed == 0);
    CHECK(std::stoul(master.command({"ZCARD", base + "completed"})) + lost.gone >=
          load.acknowledged().size());
}

TEST_CASE("producer and worker go on when a replica takes over their queue's node", "[fault][cluster]") {
    redis_cluster::options o;
    o.with_replicas = true;
    redis_cluster servers{o};
    run_coroutine(with_load(address_of(servers), servers, "{lost}", lose_the_owner), 150s);
}

task<void> run_some(queue_load& load, redis_cluster& servers) {
    co_await load.until("some jobs done", [&] { return load.completed().size() >= 100; });
    load.stop_adding();
    co_await load.until("all jobs done",
                        [&] { return load.completed().size() == load.acknowledged().size(); });
    CHECK(servers.node(servers.owner_of("bull:{safe}:meta")).command({"LLEN", "bull:{safe}:active"}) == "0");
}

task<void> spread_over_nodes(redis::client& client, redis_cluster& servers) {
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
}

TEST_CASE("commands go to the node of their key, each in its turn", "[fault][cluster]") {
    run_coroutine(with_client(shared_cluster(), spread_over_nodes), 90s);
}

TEST_CASE("a cluster is spoken to over TLS, node by node, and a queue runs on it", "[fault][cluster][tls]") {
    redis_cluster::options o;
    o.tls = true;
    redis_cluster servers{o};
    run_coroutine(with_client_at(tls_address_of(servers), servers, spread_over_nodes), 90s);
    run_coroutine(with_load(tls_address_of(servers), servers, "{safe}", run_some), 150s);
}

/// Three queues on different nodes, a listener each: whoever looks sees them all.
task<void> see_worker(queue::queue& q, std::string worker_name) {
    std::vector<queue::client_info> seen;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    do {
        seen = co_await queue::queue_getters{q}.workers();
        if (seen.empty()) co_await sleep_for(20ms);
    } while (seen.empty() && std::chrono::steady_clock::now() < deadline);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].name == worker_name);
}

task<void> stop(queue::worker& worker) {
    const auto now = std::chrono::steady_clock::now();
    co_await worker.stop(now + 5s, now + 6s);
}

task<void> look_at_every_node(redis::client& client, redis_cluster& servers) {
    const auto executor = co_await asio::this_coro::executor;
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
        co_await stop_after(30s, see_worker(q, options.name), stop(worker));
    }
    const auto keys = co_await client.scan("bull:{seen*:meta", 100);
    CHECK(std::set<std::string>(keys.begin(), keys.end()).size() == servers.size());
    CHECK((co_await client.scan("bull:{seen*:meta", 2)).size() == 2);
}

TEST_CASE("workers and queues are found on every node", "[fault][cluster]") {
    run_coroutine(with_client(shared_cluster(), look_at_every_node), 90s);
}

task<void> read_missing(redis::client& c, const redis::script& s, std::string& out) {
    const std::string_view keys[]{"{half}c"};
    const auto r = co_await c.eval(s, keys, {});
    out = r.is_nil() ? "nil" : std::string{r.text()};
}

/// The script has no answer as long as the slot is on its way.
task<void> expect_to_wait(std::string& value, redis_cluster& servers, int slot, std::size_t from,
                          std::size_t to) {
    co_await sleep_for(100ms); // that nothing comes has no signal
    CHECK(value.empty());
    servers.end_move(slot, from, to);
}

/// A slot half way: one key is there already, one still here.
task<void> ask_half_way(redis::client& client, redis_cluster& servers) {
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
    running.spawn("reader", read_missing(client, read, value));
    co_await stop_after(30s, expect_to_wait(value, servers, slot, from, to), running.join());
    CHECK(value == "nil");
    CHECK((co_await client.exec(redis::command{"GET", "{half}b"})).text() == "2"); // MOVED
    CHECK(servers.owner_of("{half}a") == to);
}

TEST_CASE("a slot on its way is asked for where it is, and scripts wait for its arrival",
          "[fault][cluster]") {
    run_coroutine(with_client(shared_cluster(), ask_half_way), 90s);
}

task<void> wait_too_long(redis::client& client, redis_cluster& servers) {
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
}

TEST_CASE("a script does not wait for a slot longer than for a reply", "[fault][cluster]") {
    redis::client_options options;
    options.command_timeout = 300ms;
    run_coroutine(with_client(shared_cluster(), wait_too_long, options), 90s);
}

task<void> hear(std::vector<std::string>& heard, redis_cluster& servers) {
    for (int i = 0; i < 500 && heard.empty(); ++i) {
        servers.node(static_cast<std::size_t>(i) % 3).command({"PUBLISH", "news", "hello"});
        co_await sleep_for(10ms);
    }
    CHECK_FALSE(heard.empty());
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
    co_await stop_after(30s, hear(heard, servers), subscriber.stop());
}

TEST_CASE("a subscriber hears what any node of a cluster is told", "[fault][cluster]") {
    run_coroutine(subscribe(shared_cluster()), 60s);
}

} // namespace
} // namespace tiktrend::testing
