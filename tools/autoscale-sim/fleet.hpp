#pragma once
#include "hpa.hpp"
#include "trace.hpp"

#include <cstddef>
#include <vector>

namespace tiktrend::autoscale {

/// One moment of a run, for the chart and the table.
struct sample {
    moment at;
    double depth;    ///< jobs that need a slot: waiting and running
    int replicas;    ///< asked for
    int taking_jobs; ///< of them those that have started
    bool blind;      ///< the autoscaler did not see the depth
};

struct outcome {
    std::vector<sample> samples;
    std::vector<double> waits; ///< seconds from arrival to the first start of each job
    std::size_t arrived = 0;
    std::size_t finished = 0;
    std::size_t unfinished = 0;    ///< waiting or running at the end
    std::size_t released = 0;      ///< handed back by a drain
    std::size_t most_releases = 0; ///< of one job
    double worker_hours = 0;       ///< from the decision to the end of the drain: what is paid for
    int peak = 0;
};

struct fleet_settings {
    hpa_settings autoscaler = shipped_settings();
    int concurrency = 10;      ///< jobs at once in one worker
    moment drain_timeout{105}; ///< then what still runs is handed back to the front of the queue
};

/// The workers, the queue and the autoscaler in steps of one second. The same trace gives the same outcome.
outcome simulate(const trace& t, const fleet_settings& settings);

/// The p-th percentile (0 to 100) by nearest rank; 0 of nothing.
double percentile(std::vector<double> values, double p);

} // namespace tiktrend::autoscale
