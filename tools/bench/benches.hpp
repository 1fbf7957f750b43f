#pragma once
#include "report.hpp"

namespace tiktrend::bench {

struct settings {
    int rounds = 5;
    int seconds = 4;      ///< of HTTP load a round and side
    int jobs = 30'000;    ///< of the queue a round and side
    std::string programs; ///< folder of the contenders' programs
    std::string peers;    ///< folder of the Node peers
    std::string version_of_bullmq = "bullmq 6.7.0";
};

std::vector<row> run_queue_bench(const settings& s);

/// Against a gateway that tools/bench/run has started: GATEWAY_URL, GATEWAY_PID, API_KEY, REDIS_QUEUE_URL,
/// REDIS_CACHE_URL.
std::vector<row> run_http_bench(const settings& s);

} // namespace tiktrend::bench
