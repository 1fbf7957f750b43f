#pragma once
#include <tiktrend/testing/redis_server.hpp>

namespace tiktrend::bench {

/// What a Redis has used between two looks.
class redis_meter {
public:
    struct usage {
        double cpu_seconds = 0; ///< INFO cpu: used_cpu_user + used_cpu_sys
        /// INFO commandstats: scripts, transactions and what is called by itself. Commands inside of scripts
        /// are counted with the script and not again.
        double command_seconds = 0;
    };
    explicit redis_meter(const testing::redis_server& server) : server_{server}, start_{now()} {}
    usage used() const;

private:
    usage now() const;
    const testing::redis_server& server_;
    usage start_;
};

/// INFO memory: used_memory.
double used_mib_of(const testing::redis_server& server);

} // namespace tiktrend::bench
