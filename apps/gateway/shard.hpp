#pragma once
#include "config.hpp"
#include "copy/copy_desk.hpp"
#include "cursor.hpp"
#include "definitions.hpp"
#include "http_metrics.hpp"
#include "job_events.hpp"
#include "middleware/authenticate.hpp"
#include "middleware/idempotency.hpp"
#include "middleware/rate_limiter.hpp"
#include "middleware/recent_tokens.hpp"
#include "outbox/job_intake.hpp"
#include "product_cache.hpp"
#include "quota_book.hpp"
#include "regions/forwarder.hpp"
#include "routes/health.hpp"
#include "token_verifier.hpp"

#include <tiktrend/catalog/api_key_store.hpp>
#include <tiktrend/catalog/outbox_store.hpp>
#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/catalog/trending_store.hpp>
#include <tiktrend/catalog/usage_store.hpp>
#include <tiktrend/catalog/user_store.hpp>
#include <tiktrend/http/server.hpp>
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/postgres/router.hpp>
#include <tiktrend/queue/queue.hpp>
#include <tiktrend/redis/client.hpp>

#include <atomic>
#include <memory>
#include <set>
#include <string>

namespace tiktrend::gateway {

/// What all shards may read: immutable, or thread-safe by itself.
struct shared_parts {
    const config& settings;
    sources::registry_ptr definitions; ///< those of the files
    observe::registry& metrics;
    logger log;
    std::atomic<bool> draining{false};
    std::shared_ptr<http::certificates> certificates{}; ///< null: no TLS
    std::atomic<bool> was_ready{false};                 ///< see health::serving()
};

/// What a shard tells when the metrics are read.
struct shard_report {
    std::set<std::string> seen; ///< principals since the last report
    std::size_t pool_in_use = 0, pool_idle = 0, pool_waiting = 0;
    std::size_t connections = 0, requests_in_flight = 0;
};

/// One thread's whole gateway: event loop, listener, connections. Everything here runs on its io_context (ADR
/// 4).
class shard {
public:
    /// `is_first`: it does what one thread of a gateway does for all.
    shard(shared_parts& shared, bool is_first);
    shard(const shard&) = delete;
    shard& operator=(const shard&) = delete;

    asio::io_context& context() noexcept { return context_; }
    queue::queue& jobs() noexcept { return jobs_; }
    redis::client& queue_redis() noexcept { return queue_redis_; }
    redis::client& cache_redis() noexcept { return cache_redis_; }
    catalog::usage_store& usage() noexcept { return usage_; }
    postgres::router& database() noexcept { return database_; }
    definition_shelf& definitions() noexcept { return definitions_; }

    /// Connects in the background and listens on `port` (0: a free one). Throws system_error if it cannot
    /// listen.
    void start(std::uint16_t port);
    std::uint16_t port() const noexcept { return server_->port(); }
    /// Waits until the queue's Redis answered once, at most `limit`, and writes the queue's meta record.
    task<void> announce_queue(std::chrono::milliseconds limit);

    void begin_drain() { server_->begin_drain(); }
    task<void> stop(std::chrono::steady_clock::time_point deadline);

    task<shard_report> report();

private:
    std::shared_ptr<const http::router> make_routes();
    void add_scraping_routes(http::router& routes);
    void add_account_routes(http::router& routes);
    void add_admin_routes(http::router& routes);
    std::vector<health::dependency> dependencies();
    std::string describe_region() const;
    /// `h`, for callers who may `scope`, within their limit.
    http::handler guarded(std::string scope, const rate_policy& limit, http::handler h);

    shared_parts& shared_;
    asio::io_context context_{1};
    redis::client queue_redis_;
    redis::client cache_redis_;
    queue::queue jobs_;
    job_events events_;
    definition_shelf definitions_;
    postgres::router database_;
    catalog::product_store products_;
    catalog::trending_store trends_;
    catalog::api_key_store keys_;
    catalog::user_store users_;
    catalog::usage_store usage_;
    token_verifier tokens_;
    rate_limiter limiter_;
    recent_tokens good_tokens_;
    authenticator access_;
    product_cache cache_;
    quota_book quotas_;
    copy_desk copies_;
    catalog::outbox_store outbox_;
    job_intake intake_;
    std::unique_ptr<forwarder> forwarder_; ///< of a replica region
    idempotency idempotency_;
    health health_;
    http_metrics http_metrics_;
    cursor_signer cursors_;
    std::unique_ptr<http::server> server_;
};

} // namespace tiktrend::gateway
