#pragma once
#include "copy/copy_settings.hpp"
#include "jwt_settings.hpp"
#include "middleware/cors.hpp"
#include "outbox/enqueue_settings.hpp"
#include "quota_limits.hpp"
#include "rate_limits.hpp"
#include "regions/region_settings.hpp"

#include <tiktrend/base/config_reader.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/server.hpp>
#include <tiktrend/queue/job_options.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tiktrend::gateway {

/// Everything that the environment decides, read once (docs/configuration.md lists each variable).
struct config {
    http::server_options http; ///< GATEWAY_ADDRESS, GATEWAY_PORT and the limits, TRUSTED_PROXIES
    std::string metrics_address;
    std::uint16_t metrics_port = 0;
    std::string
        port_file; ///< `GATEWAY_PORT=…\nMETRICS_PORT=…` is written here once listening; empty: nowhere
    std::size_t threads = 1;

    std::string redis_queue_url;
    std::string redis_cache_url;
    std::string database_url;
    std::vector<std::string> replica_urls; ///< empty: the primary serves reads too
    std::chrono::milliseconds replica_max_lag{};
    std::vector<std::string> metrics_queues; ///< further queues that /metrics tells about
    std::size_t database_pool_size = 8;      ///< per thread and role
    std::chrono::milliseconds database_acquire_timeout{};

    std::string queue_prefix;
    std::string queue_name;
    queue::job_options job_defaults; ///< priority 5, attempts 3, exponential 2 s, keep 1,000 and 5,000
    std::string sources_dir;
    std::chrono::milliseconds
        sources_refresh{}; ///< how often the database is asked for definitions; 0: never
    std::map<std::string, std::string, std::less<>>
        source_defaults; ///< the operator's defaults for inputs, as the worker has them

    quota_limits quotas;                  ///< QUOTA_SCRAPES, QUOTA_COPIES
    rate_limits limits;                   ///< RATE_LIMIT_*
    jwt_settings jwt;                     ///< JWT_*
    copy_settings copy;                   ///< COPY_*
    enqueue_settings enqueue;             ///< ENQUEUE_*, OUTBOX_*
    region_settings region;               ///< GATEWAY_ROLE, REGION, PRIMARY_*
    cors_settings cors;                   ///< CORS_*
    std::size_t max_in_flight = 0;        ///< per thread; 0: no limit
    http::certificate_files certificates; ///< TLS_CERT_FILE, TLS_KEY_FILE; empty: no TLS
    std::chrono::milliseconds certificates_interval{};
    std::chrono::milliseconds idempotency_ttl{};

    std::chrono::milliseconds products_ttl{};
    std::chrono::milliseconds categories_ttl{}, trending_ttl{};
    std::chrono::milliseconds
        stale_for{};                    ///< answers are kept for so long for the time when PostgreSQL is away
    std::size_t max_uncached_loads = 0; ///< per thread, while the cache's Redis is away
    std::int64_t near_cache_bytes = 0;  ///< per thread
    std::string cursor_secret;          ///< signs page cursors; must be the same on every replica
    bool cursor_secret_is_random = false;

    std::string sentry_dsn; ///< errors are reported there; empty: nowhere
    std::string sentry_environment;
    std::chrono::milliseconds lame_duck{};
    std::chrono::milliseconds drain_timeout{};
    log_level level = log_level::info;
    bool access_log = true;
};

/// Reads all of it; mistakes are in reader.errors().
config read_config(config_reader& reader);

} // namespace tiktrend::gateway
