#pragma once
#include "../config.hpp"
#include "../metrics.hpp"
#include "../source_book.hpp"
#include "politeness.hpp"
#include "product_invalidation.hpp"
#include "proxy_pool.hpp"
#include "robots/robots_gate.hpp"

#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/catalog/page_cache.hpp>
#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/catalog/source_health.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/queue/queue.hpp>
#include <tiktrend/sources/page.hpp>

namespace tiktrend::worker {

/// What a scrape needs of the process. All of it outlives the jobs.
struct scrape_services {
    const config& settings;
    source_book& definitions;
    queue::queue& jobs; ///< the worker's own queue, for the jobs that jobs make
    fetch::client& fetcher;
    politeness& polite;
    robots_gate& robots;
    catalog::product_store& products;
    catalog::page_cache& pages;
    catalog::source_health& health;
    proxy_pool& proxies;
    product_invalidation& caches;
    worker_metrics& metrics;
    random_source& random;
    const wall_clock& clock;
    logger log;
    sources::page_reader reader{}; ///< one for all jobs: it is done with a page before it returns
};

} // namespace tiktrend::worker
