#pragma once
#include "report.hpp"

namespace tiktrend::bench {

struct settings {
    int rounds = 5;
    int seconds = 4;       ///< of HTTP load a round and side
    std::string load_cpu;  ///< the processor that wrk is held to, as taskset writes it; empty: any
    int jobs = 30'000;     ///< of the queue a round and side
    int history = 100'000; ///< jobs already in `completed`, and those that memory is measured with
    std::string programs;  ///< folder of the contenders' programs
    std::string peers;     ///< folder of the Node peers
    std::string version_of_bullmq = "bullmq 6.7.0";
};

std::vector<row> run_queue_bench(const settings& s);

/// Against a gateway that tools/bench/run has started: GATEWAY_URL, GATEWAY_PID, API_KEY, START_BODY,
/// BODY_FILE, REDIS_QUEUE_URL, REDIS_CACHE_URL.
std::vector<row> run_http_bench(const settings& s);

/// Against a gateway over a database of PRODUCTS made-up products: GATEWAY_URL, GATEWAY_PID, API_KEY,
/// WORDS_FILE, ETAG, REDIS_CACHE_URL, DATABASE_URL; beside FastAPI where WITH_FASTAPI is 1.
std::vector<row> run_reads_bench(const settings& s);

/// Against a gateway, a worker and a demo shop: GATEWAY_URL, WORKER_PID, API_KEY, START_BODY, PRODUCTS,
/// REDIS_QUEUE_URL, DATABASE_URL, DEMO_SHOP_URL.
std::vector<row> run_scrape_bench(const settings& s);

/// A variable that tools/bench/run has set. Throws std::runtime_error if it has not.
std::string environment(const char* name);

} // namespace tiktrend::bench
