#pragma once
#include "app.hpp"
#include "crawl/proxy_pool.hpp"
#include "crawl/robots/robots_gate.hpp"
#include "crawl/shared_politeness.hpp"
#include "drain/deletion_cost.hpp"
#include "drain/spot_watcher.hpp"
#include "jobs/schedule_quota.hpp"
#include "source_book.hpp"

#include <tiktrend/base/random.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/catalog/image_store.hpp>
#include <tiktrend/catalog/retention.hpp>
#include <tiktrend/catalog/source_health.hpp>
#include <tiktrend/catalog/trend_store.hpp>
#include <tiktrend/fetch/s3_client.hpp>
#include <tiktrend/queue/cancellation.hpp>
#include <tiktrend/queue/queue.hpp>

#include <functional>
#include <set>
#include <string>

namespace tiktrend::worker {

/// Everything that works, in the order of building; the drain says in which order it stops.
struct app::parts {
    parts(app& owner, const config& s, const logger& log);

    queue::worker_options job_options(const config& s, const logger& log);
    /// A job that was to be cancelled when its worker was lost does not begin again.
    task<std::string> run(queue::active_job& job);
    task<std::string> run_wanted(queue::active_job& job);
    task<void> forget_wish(std::string id);

    asio::any_io_executor executor;
    std::shared_ptr<default_random> random = std::make_shared<default_random>();
    job_table jobs;
    worker_metrics metrics;
    postgres::router database;
    redis::client cache;
    redis::client shared; ///< what the workers agree on; lives with the queue, which never evicts
    fetch::client fetcher;
    shared_politeness polite;
    robots_gate robots;
    catalog::product_store products;
    catalog::page_cache pages;
    catalog::source_health health;
    catalog::source_store stored_definitions;
    catalog::image_store images;
    catalog::retention old_rows;
    catalog::trend_store trends;
    source_book definitions;
    proxy_pool proxies;
    std::unique_ptr<fetch::s3_client> storage; ///< null: not configured
    queue::queue queue_of_jobs;                ///< for the jobs that jobs make
    cache_invalidation caches;
    schedule_quota quota;
    scrape_services services;
    queue::worker worker;
    queue::cancellation_listener cancellations;   ///< of single jobs, by whoever may
    std::set<std::string, std::less<>> cancelled; ///< running jobs that were cancelled, by id
    std::unique_ptr<task_group> wishes;           ///< that are being forgotten
    bool is_working = false;                      ///< worker.start() was called
    std::unique_ptr<spot_watcher> spot;
    std::unique_ptr<deletion_cost> cost;
    std::unique_ptr<http::server> status;
};

} // namespace tiktrend::worker
