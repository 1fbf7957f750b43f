#pragma once
#include "config.hpp"
#include "crawl/cache_invalidation.hpp"
#include "crawl/local_politeness.hpp"
#include "crawl/scrape_services.hpp"
#include "drain/deletion_cost.hpp"
#include "drain/drain_plan.hpp"
#include "drain/exit_guard.hpp"
#include "drain/spot_watcher.hpp"
#include "jobs/job_table.hpp"
#include "metrics.hpp"

#include <tiktrend/base/stop.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/http/server.hpp>
#include <tiktrend/postgres/migrator.hpp>
#include <tiktrend/redis/client.hpp>

#include <boost/asio/io_context.hpp>

#include <memory>

namespace tiktrend::worker {

/// The worker as a whole, on one thread: parts, signals and the drain. run() is its life.
class app {
public:
    app(const config& settings, std::vector<sources::source_file> definitions, logger log);
    ~app();
    app(const app&) = delete;
    app& operator=(const app&) = delete;

    /// Works until SIGTERM or SIGINT, drains, ends. Throws system_error if the metrics port cannot be had.
    /// The exit status: 0 if every job was finished or given back, else 1.
    int run();

private:
    struct parts;

    task<void> serve();
    task<postgres::migration_status> schema_status(const postgres::migrator& migrations);
    task<void> start_when_ready();
    task<void> watch_signals();
    task<void> hurry_on_second_signal();
    task<void> watch_spot_notices();
    void ask_to_drain(std::chrono::milliseconds limit, std::string reason);
    task<void> check_queue_server();
    /// What the parts do on their own while jobs run. Ends with the drain.
    task<void> start_upkeep();
    task<void> keep_trend_schedule();
    task<void> drain();
    void start_status_server();
    void write_port_file() const;
    void log_state() const;

    const config& settings_;
    std::vector<sources::source_file> definitions_; ///< of the program; the parts take them
    logger log_;
    exit_guard guard_; ///< first made, last gone: it also watches the destructors
    asio::io_context context_{1};
    observe::registry metrics_registry_;
    stop_state stop_;
    std::chrono::milliseconds drain_for_; ///< DRAIN_TIMEOUT, or what a notice leaves of it
    std::string policy_problem_;          ///< the queue's Redis may evict jobs; empty: it may not
    std::string clock_problem_;           ///< as above, of the clocks
    std::unique_ptr<parts> parts_;
    std::unique_ptr<task_group> upkeep_;
    std::vector<observe::registry::token> collectors_;
    std::string waiting_for_ = "the database"; ///< what keeps the worker from taking jobs; empty: nothing
    int status_ = 0;
    std::exception_ptr error_;
};

} // namespace tiktrend::worker
