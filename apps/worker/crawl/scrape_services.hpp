#pragma once
#include "../config.hpp"
#include "../metrics.hpp"
#include "politeness.hpp"
#include "product_invalidation.hpp"
#include "robots/robots_gate.hpp"

#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/catalog/page_cache.hpp>
#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/sources/registry.hpp>

namespace tiktrend::worker {

/// What a scrape needs of the process. All of it outlives the jobs.
struct scrape_services {
    const config& settings;
    const sources::registry& definitions;
    fetch::client& fetcher;
    politeness& polite;
    robots_gate& robots;
    catalog::product_store& products;
    catalog::page_cache& pages;
    product_invalidation& caches;
    worker_metrics& metrics;
    random_source& random;
    const wall_clock& clock;
    logger log;
};

} // namespace tiktrend::worker
