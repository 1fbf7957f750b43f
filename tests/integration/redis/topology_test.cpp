// Clients of Sentinel and of a Cluster where it is about their own life; what becomes of a queue is among the
// fault tests.
#include "fixture.hpp"
#include "silent_peer.hpp"

#include <tiktrend/testing/redis_topologies.hpp>

#include <deque>

namespace tiktrend::redis {
namespace {

using testing::redis_cluster;
using testing::redis_sentinels;

std::string host_of(const silent_peer& p) {
    return p.url().substr(p.url().find("://") + 3);
}

task<void> find_the_last(std::deque<silent_peer>& silent, redis_sentinels& servers) {
    std::string hosts;
    for (const auto& p : silent)
        hosts += host_of(p) + ",";
    const auto one = servers.hosts().substr(0, servers.hosts().find(','));
    client c{co_await asio::this_coro::executor,
             at("redis+sentinel://" + hosts + one + "/" + redis_sentinels::master_name), quick()};
    c.start();
    const auto code = co_await code_of(c.wait_connected(15s));
    CHECK_FALSE(code.failed());
    // The one that answered is asked first from then on.
    const auto asked = silent.front().accepted();
    servers.master().command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    CHECK(co_await eventually([&] { return c.connects() >= 2; }));
    CHECK(silent.front().accepted() == asked);
    co_await c.stop();
}

TEST_CASE("the last of many sentinels is asked although the others never answer", "[integration][redis]") {
    redis_sentinels servers;
    asio::io_context io{1};
    std::deque<silent_peer> silent;
    for (int i = 0; i < 5; ++i) // of 500 ms each, more than the connect timeout
        silent.emplace_back(io, 0);
    testing::run_on(io, find_the_last(silent, servers));
}

const script& count_up() {
    static const script s{"count_up", "return redis.call('INCR', KEYS[1])"};
    return s;
}

task<void> call_until_it_ends(client& c, std::string key, error_code& why) {
    const std::string_view keys[]{key};
    why = co_await code_of(c.eval(count_up(), keys, {}));
}

task<void> stop_in_a_pause(redis_cluster& servers) {
    const auto slot = servers.slot_of("{moving}");
    const auto from = servers.owner_of("{moving}"), to = (from + 1) % servers.size();
    servers.begin_move(slot, from, to); // a script on a key that is not there waits for the slot's arrival
    error_code why;
    {
        const auto executor = co_await asio::this_coro::executor;
        task_group group{executor};
        auto c = std::make_unique<client>(executor, at("redis+cluster://" + servers.hosts()), quick());
        c->start();
        co_await c->wait_connected(10s);
        group.spawn("call", call_until_it_ends(*c, "{moving}new", why));
        co_await sleep_for(50ms);
        CHECK(group.size() == 1);
        co_await c->stop();
        CHECK(why == tiktrend::errc::stopped); // nothing of it is on its way when stop() has ended
        c.reset();
        co_await group.join();
    }
    servers.end_move(slot, from, to);
}

TEST_CASE("a stopped client of a cluster leaves no call behind", "[integration][redis]") {
    redis_cluster servers;
    testing::run_coroutine(stop_in_a_pause(servers), 60s);
}

} // namespace
} // namespace tiktrend::redis
