#pragma once
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/postgres/router.hpp>
#include <tiktrend/redis/client.hpp>

#include <chrono>
#include <string_view>
#include <vector>

namespace tiktrend::gateway {

/// Gauges about the servers behind the gateway: whether each Redis has the eviction policy that its use
/// needs and the same time, and how far each replica of the database is behind. What could not be read is
/// absent, never old. To be used on the executor of both clients.
class server_gauges {
public:
    server_gauges(observe::registry& r, redis::client& queue, redis::client& cache);

    /// Asks each Redis at most once a minute, waiting at most a second; copies `replicas`, which cost
    /// nothing.
    task<void> refresh(const std::vector<postgres::router::replica_state>& replicas);

private:
    using clock = std::chrono::steady_clock;
    struct server {
        std::string_view role;
        redis::client& client;
        bool must_evict;
        clock::time_point read_at = clock::time_point::min();
    };
    task<void> check(server& s);
    void show(const std::vector<postgres::router::replica_state>& replicas);

    observe::gauge_family &config_ok_, &clock_, &lag_, &serving_;
    server queue_, cache_;
};

} // namespace tiktrend::gateway
