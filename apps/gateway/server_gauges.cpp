#include "server_gauges.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/redis/info.hpp>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;
constexpr auto max_age = 1min;
constexpr auto limit = 1s;

} // namespace

server_gauges::server_gauges(observe::registry& r, redis::client& queue, redis::client& cache)
    : config_ok_{r.gauges("redis_config_ok",
                          "1 if the Redis has the eviction policy that its use needs: noeviction for the "
                          "queue, any other for the cache.",
                          {"role"})},
      clock_{r.gauges("redis_clock_difference_seconds",
                      "How far this machine's clock is ahead of the Redis's; negative: behind.", {"role"})},
      lag_{r.gauges("db_replica_lag_seconds",
                    "How long ago the primary wrote what the replica still lacks; 0 if it lacks nothing.",
                    {"replica"})},
      serving_{r.gauges("db_replica_serving", "1 if the replica gets reads.", {"replica"})},
      queue_{"queue", queue, false}, cache_{"cache", cache, true} {}

task<void> server_gauges::check(server& s) {
    if (s.read_at != clock::time_point::min() && clock::now() - s.read_at < max_age) co_return;
    s.read_at = clock::time_point::min();
    try {
        const redis::command ask{"INFO", "memory"};
        const auto answer = co_await within(limit, s.client.exec(ask));
        if (const auto policy = redis::eviction_policy(answer.text()); !policy.empty()) {
            const bool evicts = policy != "noeviction";
            config_ok_(s.role).set(evicts == s.must_evict ? 1 : 0);
            if (const auto ahead = co_await within(limit, redis::clock_ahead(s.client, system_wall_clock())))
                clock_(s.role).set(std::chrono::duration<double>{*ahead}.count());
            s.read_at = clock::now();
            co_return;
        }
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
    }
    config_ok_.remove({std::string{s.role}});
    clock_.remove({std::string{s.role}});
}

void server_gauges::show(const std::vector<postgres::router::replica_state>& replicas) {
    for (const auto& r : replicas) {
        serving_(r.description).set(r.is_serving ? 1 : 0);
        if (r.answered)
            lag_(r.description).set(std::chrono::duration<double>{r.lag}.count());
        else
            lag_.remove({r.description});
    }
}

task<void> server_gauges::refresh(const std::vector<postgres::router::replica_state>& replicas) {
    co_await check(queue_);
    co_await check(cache_);
    show(replicas);
}

} // namespace tiktrend::gateway
