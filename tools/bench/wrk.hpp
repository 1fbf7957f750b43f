#pragma once
#include <sys/types.h>

#include <map>
#include <string>

namespace tiktrend::bench {

/// What one run of wrk against one server gave.
struct http_load {
    double requests_per_second;
    double server_us; ///< processor time of the server's process for one request
    double p50_ms, p95_ms, p99_ms;
    double server_share; ///< of one processor that the server used
    double wrk_share;    ///< of one processor that wrk used: near 1, it and not the server is the limit
};

/// What wrk sends: `script` is a file of wrk/ beside this program's sources, and gets `environment`.
struct wrk_requests {
    std::string script;
    int connections = 100;
    std::map<std::string, std::string> environment{};
};

/// From one thread for `seconds`, on the processor `load_cpu` (as taskset writes it; empty: any). Throws
/// std::runtime_error if any request failed, or was not answered with 2xx or 3xx.
http_load run_wrk(const std::string& url, const std::string& scripts, const wrk_requests& requests,
                  int seconds, pid_t server, const std::string& load_cpu);

} // namespace tiktrend::bench
