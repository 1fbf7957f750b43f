#pragma once
#include "activity.hpp"
#include "config.hpp"
#include "definitions.hpp"
#include "queue_gauges.hpp"
#include "sampled_metrics.hpp"
#include "server_gauges.hpp"
#include "shard.hpp"

#include <tiktrend/base/stop.hpp>

#include <memory>
#include <thread>
#include <vector>

namespace tiktrend::gateway {

/// The gateway as a whole: shards on their threads, the metrics port, signals and the drain. run() is its
/// life.
class app {
public:
    /// `definitions` have been checked; throws std::runtime_error when they make no registry after all.
    app(const config& settings, std::vector<sources::source_file> definitions, logger log);
    ~app();
    app(const app&) = delete;
    app& operator=(const app&) = delete;

    /// Starts, serves until SIGTERM or SIGINT, drains, ends. Throws system_error if a port cannot be had. The
    /// exit status.
    int run();

private:
    task<void> serve();
    task<void> watch_signals();
    task<void> drain();
    task<void> stop_shard(shard& s, std::chrono::steady_clock::time_point deadline);
    task<void> announce();
    task<void> watch_certificates();
    /// For the requests of every thread from now on.
    void take_definitions(const sources::registry_ptr& newer);
    void reload_certificates(std::string_view why);
    task<void> refresh_metrics();
    void start_threads();
    void start_metrics_server();
    void write_port_file() const;
    void log_state() const; ///< SIGQUIT: what goes on, as a log line

    const config& settings_;
    logger log_;
    observe::registry metrics_;
    sources::registry_options definition_options_;
    shared_parts shared_;
    std::vector<std::unique_ptr<shard>> shards_; ///< the first runs on the main thread
    std::vector<std::thread> threads_;
    std::size_t started_ = 0; ///< shards that were started, from the first on
    bool are_shards_stopping_ = false;
    definition_follower definitions_;
    std::vector<std::unique_ptr<queue::queue>> more_queues_; ///< METRICS_QUEUES
    activity activity_;
    sampled_metrics sampled_;
    server_gauges servers_;
    observe::gauge_family& pool_;
    observe::gauge connections_;
    observe::counter_family& tls_reloads_;
    observe::gauge_family& region_;
    observe::registry::token process_metrics_;
    std::unique_ptr<http::server> metrics_server_;
    stop_state stop_;
    std::exception_ptr error_;
};

} // namespace tiktrend::gateway
