#pragma once
#include "fleet.hpp"
#include "prometheus.hpp"
#include "worker_processes.hpp"

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

namespace tiktrend::autoscale {

struct control_settings {
    hpa_settings autoscaler = shipped_settings();
    std::string query = R"(max(bullmq_queue_depth{queue="scraping"}))";
    moment at_most{3600};          ///< then the fleet is stopped
    bool until_idle = false;       ///< end once a burst is over and the fleet is at its minimum again
    std::filesystem::path targets; ///< file for Prometheus' file_sd_configs; empty: none
};

/// Scales real workers on a real Prometheus until it is over, and stops them in order. Sets `stop` from a
/// signal handler to end it early. What happened, once a second; replicas that changed are printed as they
/// change.
std::vector<sample> control(const control_settings& settings, const prometheus& source,
                            worker_processes& fleet, const volatile std::sig_atomic_t& stop);

/// Prints, at every sync, what the autoscaler would have; scales nothing. `replicas` is a query for those
/// that there are.
void watch(const control_settings& settings, const prometheus& source, const std::string& replicas,
           const volatile std::sig_atomic_t& stop);

} // namespace tiktrend::autoscale
