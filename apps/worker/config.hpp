#pragma once
#include "crawl/proxy_pool.hpp"
#include "crawl/retry_policy.hpp"
#include "drain/deletion_cost.hpp"
#include "drain/spot_watcher.hpp"

#include <tiktrend/base/config_reader.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/fetch/s3_client.hpp>
#include <tiktrend/sources/definition.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::worker {

/// Where copies of product images go.
struct image_settings {
    fetch::s3_options storage;
    std::string public_url; ///< of the bucket, without a slash at the end
    std::size_t max_bytes = 10U << 20;
    std::uint64_t min_pixels = 1024; ///< smaller ones are markers, not pictures
    std::uint64_t max_pixels = 64'000'000;
    std::chrono::milliseconds delay{100}; ///< between two requests to one image host
    int concurrency = 4;                  ///< requests at once to one image host
};

/// Everything that the environment decides, read once (docs/configuration.md lists each variable).
struct config {
    std::string redis_queue_url;
    std::string redis_cache_url;
    std::string database_url;
    std::size_t database_pool_size = 4;
    std::chrono::milliseconds database_acquire_timeout{};

    std::string queue_prefix;
    std::string queue_name;
    std::string worker_name; ///< `pb` of the jobs; empty: host name and process id
    std::size_t concurrency = 10;
    std::chrono::milliseconds lock_duration{};
    std::chrono::milliseconds stalled_interval{};
    std::int32_t max_stalled_count = 3;
    std::chrono::milliseconds drain_delay{}; ///< longest blocking wait for a job
    std::int64_t keep_completed = 0;
    std::int64_t keep_failed = 0;
    std::optional<std::int64_t> scrape_quota; ///< of a user and day, for what schedules start; empty: none

    std::string sources_dir;
    std::map<std::string, std::string, std::less<>> source_defaults; ///< "source.input" → value
    std::map<std::string, std::string, std::less<>> source_secrets;  ///< "source.secret" → value
    std::chrono::milliseconds
        sources_refresh{}; ///< how often the database is asked for definitions; 0: never
    proxy_lists proxies;
    std::optional<image_settings> images;      ///< nothing: images are not mirrored
    std::chrono::milliseconds trend_refresh{}; ///< how often a worker refreshes the trends; 0: nobody does
    std::chrono::milliseconds retention{};     ///< how long page_cache and scrape_runs are kept; 0: for ever
    std::vector<std::string> plain_http_hosts; ///< https URLs to these are asked over http
    sources::limits limits;                    ///< what the operator allows a definition at most
    bool obey_robots = true;               ///< false: no robots.txt is read at all, for shops of one's own
    std::chrono::milliseconds min_delay{}; ///< between two requests to one host, whatever the definition says
    retry_settings retries;

    fetch::client_options fetch; ///< FETCH_*; its guard has the allow and deny lists

    std::chrono::milliseconds drain_timeout{};
    spot_options spot;                ///< SPOT_*
    bool drains_on_rebalance = false; ///< also when AWS only recommends to leave
    deletion_cost_options deletion_cost;
    std::string sentry_dsn; ///< errors are reported there; empty: nowhere
    std::string sentry_environment;
    std::string metrics_address;
    std::uint16_t metrics_port = 0;
    std::string port_file; ///< `METRICS_PORT=…` is written here once listening; empty: nowhere
    log_level level = log_level::info;
};

/// Reads all of it; mistakes are in reader.errors().
config read_config(config_reader& reader);

} // namespace tiktrend::worker
