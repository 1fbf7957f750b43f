#include "queue_load.hpp"

#include <tiktrend/redis/blocking_connection.hpp>
#include <tiktrend/redis/subscriber.hpp>
#include <tiktrend/testing/redis_topologies.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

#include <algorithm>

namespace tiktrend::testing {
namespace {

using namespace std::chrono_literals;

redis::address address_of(const redis_sentinels& s, const std::string& credentials = "",
                          const std::string& query = "") {
    return redis::parse_url("redis+sentinel://" + credentials + s.hosts() + "/" + redis_sentinels::master_name +
                            query)
        .value();
}

task<void> lose_the_master(redis_sentinels& servers) {
    queue_load load{co_await asio::this_coro::executor, address_of(servers), "q"};
    load.start();
    co_await load.until("some jobs done", [&] { return load.completed().size() >= 200; });

    auto& old_master = servers.master();
    const auto killed_at = queue_load::clock::now();
    old_master.kill();
    const auto acknowledged_before = load.acknowledged().size();
    co_await load.until("another master", [&] { return servers.master_port() != old_master.port(); });
    co_await load.until("adds by the new master",
                        [&] { return load.acknowledged().size() >= acknowledged_before + 200; });
    queue_load::clock::duration outage{}; // the longest time without an acknowledgement
    for (std::size_t i = 1; i < load.acknowledged().size(); ++i)
        outage = std::max(outage, load.acknowledged()[i].at - load.acknowledged()[i - 1].at);
    load.stop_adding();

    // What the new master has is all there is: every job of it ends once.
    auto& master = servers.master();
    const auto count = [&master](const char* state) { return std::stoul(master.command({state[0] == 'c' ? "ZCARD" : "LLEN", "bull:q:" + std::string{state}})); };
    co_await load.until("an empty queue", [&] { return count("wait") == 0 && count("active") == 0; });
    std::size_t lost = 0, lost_long_ago = 0, not_completed = 0;
    for (std::size_t i = 0; i < load.acknowledged().size(); ++i) {
        const auto& job = load.acknowledged()[i];
        if (master.command({"EXISTS", "bull:q:" + job.id}) == "0") {
            // Replication is asynchronous: what was acknowledged in the last moments before the loss may be gone.
            ++lost;
            if (i >= acknowledged_before || job.at < killed_at - 1s) ++lost_long_ago;
        } else if (master.command({"ZSCORE", "bull:q:completed", job.id}) == "(nil)") {
            ++not_completed;
        }
    }
    WARN("acknowledged " << load.acknowledged().size() << ", lost by replication " << lost << ", without a master for "
                         << std::chrono::duration_cast<std::chrono::milliseconds>(outage).count() << " ms, refused adds "
                         << load.failed_adds());
    CHECK(lost_long_ago == 0);
    CHECK(not_completed == 0);
    CHECK(count("completed") > acknowledged_before);
    co_await load.stop();
}

TEST_CASE("producer and worker follow a failover, and nothing is lost but what replication may lose",
          "[fault][sentinel]") {
    redis_sentinels servers;
    run_coroutine(lose_the_master(servers), 120s);
}

task<void> follow_with_everything(redis_sentinels& servers) {
    const auto executor = co_await asio::this_coro::executor;
    const auto where = address_of(servers, "default:s3cret@", "?sentinel_password=guard");
    redis::client_options options;
    options.reconnect_max = 200ms;
    redis::client client{executor, where, options};
    client.start();
    co_await client.wait_connected(5s);
    CHECK((co_await client.exec(redis::command{"ACL", "WHOAMI"})).text() == "default");

    std::vector<std::string> heard;
    redis::subscriber::handlers h;
    h.on_message = [&heard](std::string_view, std::string_view text) { heard.emplace_back(text); };
    redis::subscriber subscriber{executor, where, h, options};
    subscriber.subscribe("news");
    subscriber.start();
    redis::blocking_connection blocking{executor, where, options};

    const auto before = servers.master_port();
    // A failover in good order: the old master lives on as a replica.
    command_at(static_cast<unsigned short>(where.nodes[0].port), {"SENTINEL", "failover", redis_sentinels::master_name}, "guard");
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (servers.master_port() == before && std::chrono::steady_clock::now() < deadline)
        co_await sleep_for(20ms);
    REQUIRE(servers.master_port() != before);
    // Until the sentinels have told it, the old master would take writes that are then thrown away.
    while (command_at(before, {"ROLE"}, "s3cret").starts_with("master") && std::chrono::steady_clock::now() < deadline)
        co_await sleep_for(20ms);

    // A write is accepted by a master only.
    bool is_written = false;
    while (!is_written && std::chrono::steady_clock::now() < deadline) {
        try {
            const redis::command push{"LPUSH", "list", "x"};
            is_written = (co_await client.exec(push)).integer() == 1;
        } catch (const system_error&) { // not connected yet
        }
        if (!is_written) co_await sleep_for(20ms);
    }
    REQUIRE(is_written);
    CHECK(command_at(servers.master_port(), {"LLEN", "list"}, "s3cret") == "1");

    std::string popped;
    while (popped.empty() && std::chrono::steady_clock::now() < deadline) {
        try {
            const redis::command pop{"BRPOP", "list", "1"};
            popped = (co_await blocking.exec(pop, 1s))[1].text();
        } catch (const system_error&) { // not connected yet
        }
    }
    CHECK(popped == "x");

    while (heard.empty() && std::chrono::steady_clock::now() < deadline) {
        command_at(servers.master_port(), {"PUBLISH", "news", "hello"}, "s3cret");
        co_await sleep_for(20ms);
    }
    CHECK_FALSE(heard.empty());
    co_await subscriber.stop();
    co_await client.stop();
}

TEST_CASE("client, blocking connection and subscriber follow the master, with passwords for servers and sentinels",
          "[fault][sentinel]") {
    redis_sentinels::options o;
    o.password = "s3cret";
    o.sentinel_password = "guard";
    redis_sentinels servers{o};
    run_coroutine(follow_with_everything(servers), 60s);
}

task<void> expect_failure(redis::address where, std::string text) {
    redis::client client{co_await asio::this_coro::executor, where};
    client.start();
    std::string what;
    try {
        co_await client.wait_connected(1500ms);
    } catch (const system_error& e) {
        what = e.what();
    }
    co_await client.stop();
    INFO(what);
    CHECK(what.find(text) != std::string::npos);
}

TEST_CASE("what is wrong with sentinels is said: unknown master, nobody there, a server that is none",
          "[fault][sentinel]") {
    redis_server plain;
    const auto hosts = "127.0.0.1:1," + plain.url().substr(8);
    run_coroutine(expect_failure(redis::parse_url("redis+sentinel://" + hosts + "/main").value(), "unknown command"));
    run_coroutine(expect_failure(redis::parse_url("redis+sentinel://127.0.0.1:1/main").value(), "127.0.0.1:1"));
}

} // namespace
} // namespace tiktrend::testing
