#pragma once
#include <tiktrend/testing/line_peer.hpp>
#include <tiktrend/testing/redis_server.hpp>

#include <boost/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace tiktrend::bench {

/// One task for a contender: queue_load.cpp, peers/queue.mjs and peers/bee.mjs read it as a line of JSON.
struct queue_order {
    const char* work; ///< "add", "add_bulk", "process", "latency"
    int jobs;
    int concurrency; ///< calls or jobs under way; add_bulk: jobs of one call
    bool is_prioritized = false;
};

/// What one job cost.
struct queue_cost {
    double jobs_per_second;
    double redis_us;   ///< all that Redis did (INFO cpu)
    double command_us; ///< in its commands alone (INFO commandstats)
    double client_us;  ///< of the process that adds or works
};

/// A queue library in a process of its own, on a Redis that it shares with the others.
class queue_contender {
public:
    /// Keys that tell how many jobs wait and how many are done: a command and a key.
    struct layout {
        std::string wait_command, wait_key, done_command, done_key;
    };
    queue_contender(std::string name, layout keys, const testing::redis_server& redis,
                    const std::function<std::vector<std::string>(const std::string& fd)>& command);

    const std::string& name() const noexcept { return peer_.name(); }

    /// Adds or processes, and makes sure that Redis has seen it: adds leave `o.jobs` more waiting, processing
    /// as many more done. Throws std::runtime_error if not, and when the contender reports an error.
    queue_cost measure(const queue_order& o);
    /// From the call of add to the start of the job, one job at a time with an idle worker, in microseconds,
    /// ascending.
    std::vector<double> latencies(int jobs);
    double peak_mib();

private:
    boost::json::object ask(const queue_order& o);
    long count(const std::string& command, const std::string& key) const;

    layout keys_;
    const testing::redis_server& redis_;
    testing::line_peer peer_;
};

} // namespace tiktrend::bench
