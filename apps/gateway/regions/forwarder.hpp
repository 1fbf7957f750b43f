#pragma once
#include "regions/region_settings.hpp"

#include <tiktrend/base/log.hpp>
#include <tiktrend/http/router.hpp>
#include <tiktrend/http/upstream.hpp>
#include <tiktrend/observe/registry.hpp>

#include <string_view>

namespace tiktrend::gateway {

/// True for what a replica region answers by itself: reads of products, categories and sources, health, and
/// the documents. Jobs, users, keys, quotas, copies and all writes are the primary region's.
bool is_answered_here(const http::request& r) noexcept;

/// Hands requests on to the primary region's gateway and its answers back, streams as they come. The caller's
/// credentials, conditions, Idempotency-Key and trace go along; X-Request-Id and X-Forwarded-For say what
/// this gateway knows (the primary believes them if it has this region in TRUSTED_PROXIES). A request that
/// comes back to where it was (RFC 9110 section 7.6.3, Via) gets 508.
///
/// Owned by one executor.
class forwarder {
public:
    /// Throws std::invalid_argument for a primary URL that is none.
    forwarder(asio::any_io_executor executor, const region_settings& settings, observe::registry& metrics,
              logger log);

    /// Middleware: forwards what is not answered here.
    http::middleware forward_others();

    /// For the health answer: throws unless the primary's gateway lives.
    task<void> probe();

private:
    task<http::response> forward(http::request& r);
    task<http::response> send(http::request& r);
    http::upstream_request request_for(const http::request& r) const;

    const region_settings& settings_;
    std::string pseudonym_; ///< "tiktrend-<name>"
    http::upstream primary_;
    observe::counter_family& forwarded_;
    logger log_;
};

} // namespace tiktrend::gateway
