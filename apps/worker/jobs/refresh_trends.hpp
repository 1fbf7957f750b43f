#pragma once
#include "../crawl/scrape_services.hpp"
#include "job_names.hpp"

#include <tiktrend/catalog/retention.hpp>
#include <tiktrend/catalog/trend_store.hpp>
#include <tiktrend/queue/job_scheduler.hpp>
#include <tiktrend/queue/worker.hpp>

namespace tiktrend::worker {

/// The job `refresh_trending_summary`: trend scores of all products and the summary view (migration 012).
/// Made every hour by a job scheduler, so that one worker of all runs it; what is older than RETENTION goes
/// with it. Returns {"changed": n}, or {"skipped": true} while another one is at it.
class refresh_trends {
public:
    static constexpr std::string_view name = refresh_trends_name;

    refresh_trends(scrape_services& services, catalog::trend_store& trends, catalog::retention& old)
        : services_{services}, trends_{trends}, old_{old} {}

    task<std::string> operator()(queue::active_job& job) const;

private:
    scrape_services& services_;
    catalog::trend_store& trends_;
    catalog::retention& old_;
};

/// Sees to it that the scheduler is there, with this interval (0: takes it away). Any number of workers may
/// do so: what is as wanted is not touched, or its next job would move with each start of a worker.
task<void> schedule_trends(queue::queue& jobs, std::chrono::milliseconds every);

} // namespace tiktrend::worker
