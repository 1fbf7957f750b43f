#include "queue_load.hpp"
#include "stop_after.hpp"

#include <tiktrend/redis/blocking_connection.hpp>
#include <tiktrend/redis/subscriber.hpp>
#include <tiktrend/testing/redis_topologies.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using namespace std::chrono_literals;

redis::address address_of(const redis_sentinels& s, const std::string& credentials = "",
                          const std::string& query = "") {
    const std::string scheme = query.starts_with("?ca=") ? "rediss+sentinel://" : "redis+sentinel://";
    return redis::parse_url(scheme + credentials + s.hosts() + "/" + redis_sentinels::master_name + query)
        .value();
}

task<void> lose_the_master(queue_load& load, redis_sentinels& servers) {
    co_await load.until("some jobs done", [&] { return load.completed().size() >= 200; });

    const auto old_port = servers.master_port();
    const auto killed_at = queue_load::clock::now();
    servers.master().kill();
    const auto before = load.acknowledged().size();
    co_await load.until("another master", [&] { return servers.master_port() != old_port; });
    co_await load.until("adds by the new master", [&] { return load.acknowledged().size() >= before + 200; });
    load.stop_adding();

    // What the new master has is all there is: every job of it ends once.
    auto& master = servers.master();
    co_await load.until("an empty queue", [&] {
        return master.command({"LLEN", "bull:q:wait"}) == "0" &&
               master.command({"LLEN", "bull:q:active"}) == "0";
    });
    const auto lost = load.look_at(master, killed_at, before);
    WARN("acknowledged "
         << load.acknowledged().size() << ", lost by replication " << lost.gone << ", without a master for "
         << std::chrono::duration_cast<std::chrono::milliseconds>(load.longest_outage()).count()
         << " ms, refused adds " << load.failed_adds());
    CHECK(lost.gone_long_ago == 0);
    CHECK(lost.not_completed == 0);
    CHECK(std::stoul(master.command({"ZCARD", "bull:q:completed"})) + lost.gone >=
          load.acknowledged().size());
}

task<void> lose_the_master_under_load(redis_sentinels& servers, redis::address where) {
    queue_load load{co_await asio::this_coro::executor, where, "q"};
    load.start();
    co_await stop_after(120s, lose_the_master(load, servers), load.stop());
}

TEST_CASE("producer and worker follow a failover, and nothing is lost but what replication may lose",
          "[fault][sentinel]") {
    redis_sentinels servers;
    run_coroutine(lose_the_master_under_load(servers, address_of(servers)), 150s);
}

TEST_CASE("producer and worker follow a failover over TLS", "[fault][sentinel][tls]") {
    redis_sentinels::options o;
    o.tls = true;
    redis_sentinels servers{o};
    run_coroutine(lose_the_master_under_load(servers, address_of(servers, "", "?ca=" + servers.ca_file())),
                  150s);
}

/// Client, blocking connection and subscriber of one Redis behind sentinels.
struct three_connections {
    three_connections(asio::any_io_executor executor, const redis::address& where)
        : client{executor, where, quick()}, subscriber{executor, where, handlers(), quick()},
          blocking{executor, where, quick()} {}
    static redis::client_options quick() {
        redis::client_options o;
        o.reconnect_max = 200ms;
        return o;
    }
    redis::subscriber::handlers handlers() {
        redis::subscriber::handlers h;
        h.on_message = [this](std::string_view, std::string_view text) { heard.emplace_back(text); };
        return h;
    }
    task<void> stop() {
        co_await subscriber.stop();
        co_await client.stop();
    }
    std::vector<std::string> heard;
    redis::client client;
    redis::subscriber subscriber;
    redis::blocking_connection blocking;
};

/// True once `done` was, at most for half a minute. A server that is being turned over may refuse: not done
/// yet.
template <class F>
task<bool> eventually(F done) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    for (;;) {
        try {
            if (done()) co_return true;
        } catch (const std::runtime_error&) {
        }
        if (std::chrono::steady_clock::now() > deadline) co_return false;
        co_await sleep_for(20ms);
    }
}

task<bool> is_written(redis::client& client) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < deadline) {
        try {
            const redis::command push{"LPUSH", "list", "x"};
            if ((co_await client.exec(push)).integer() == 1) co_return true;
        } catch (const system_error&) { // not connected yet
        }
        co_await sleep_for(20ms);
    }
    co_return false;
}

task<std::string> popped(redis::blocking_connection& blocking) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < deadline) {
        try {
            const redis::command pop{"BRPOP", "list", "1"};
            const auto reply = co_await blocking.exec(pop, 1s);
            if (reply.size() == 2) co_return std::string{reply[1].text()};
        } catch (const system_error&) { // not connected yet
        }
        co_await sleep_for(20ms);
    }
    co_return std::string{};
}

task<void> follow_with_everything(three_connections& c, redis_sentinels& servers) {
    co_await c.client.wait_connected(5s);
    CHECK((co_await c.client.exec(redis::command{"ACL", "WHOAMI"})).text() == "default");

    const auto before = servers.master_port();
    // A failover in good order: the old master lives on as a replica. A sentinel that has not heard from the
    // replica yet refuses.
    const auto sentinel = static_cast<unsigned short>(c.client.where().nodes[0].port);
    REQUIRE(co_await eventually([&] {
        return command_at(sentinel, {"SENTINEL", "failover", redis_sentinels::master_name}, "guard") == "OK";
    }));
    REQUIRE(co_await eventually([&] { return servers.master_port() != before; }));
    // Until the sentinels have told it, the old master would take writes that are then thrown away.
    REQUIRE(
        co_await eventually([&] { return !command_at(before, {"ROLE"}, "s3cret").starts_with("master"); }));

    REQUIRE(co_await is_written(c.client)); // a write is accepted by a master only
    CHECK(command_at(servers.master_port(), {"LLEN", "list"}, "s3cret") == "1");
    CHECK(co_await popped(c.blocking) == "x");
    CHECK(co_await eventually([&] {
        command_at(servers.master_port(), {"PUBLISH", "news", "hello"}, "s3cret");
        return !c.heard.empty();
    }));
}

task<void> follow_with_everything(redis_sentinels& servers) {
    three_connections c{co_await asio::this_coro::executor,
                        address_of(servers, "default:s3cret@", "?sentinel_password=guard")};
    c.client.start();
    c.subscriber.subscribe("news");
    c.subscriber.start();
    co_await stop_after(150s, follow_with_everything(c, servers), c.stop());
}

TEST_CASE(
    "client, blocking connection and subscriber follow the master, with passwords for servers and sentinels",
    "[fault][sentinel]") {
    redis_sentinels::options o;
    o.password = "s3cret";
    o.sentinel_password = "guard";
    redis_sentinels servers{o};
    run_coroutine(follow_with_everything(servers), 180s);
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
    run_coroutine(
        expect_failure(redis::parse_url("redis+sentinel://" + hosts + "/main").value(), "unknown command"));
    run_coroutine(
        expect_failure(redis::parse_url("redis+sentinel://127.0.0.1:1/main").value(), "127.0.0.1:1"));
}

TEST_CASE("a sentinel with a certificate of somebody unknown is refused", "[fault][sentinel][tls]") {
    redis_sentinels::options o;
    o.tls = true;
    redis_sentinels servers{o};
    tls_files others;
    others.make();
    run_coroutine(expect_failure(address_of(servers, "", "?ca=" + others.chain()), "certificate verify"));
}

} // namespace
} // namespace tiktrend::testing
