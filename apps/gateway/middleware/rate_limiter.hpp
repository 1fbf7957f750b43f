#pragma once
#include "rate_limits.hpp"

#include <tiktrend/base/log.hpp>
#include <tiktrend/base/single_flight.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/http/router.hpp>
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/redis/client.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tiktrend::gateway {

/// Rate limits as one thread of a gateway enforces them. Redis counts (lua/take_permits.lua), so that a limit
/// holds over all gateways. While plenty is left, a thread takes a 64th of it at once and spends it within a
/// second, so that a busy client costs one call for many requests; near the limit every request is asked for.
/// A limit is never exceeded; up to a 64th a thread may go unused.
///
/// Without Redis requests pass (or are refused with 503, rate_limits::closed_without_redis); Redis is asked
/// again after a second. Owned by one executor; client and settings must outlive it.
class rate_limiter {
public:
    rate_limiter(redis::client& client, const rate_limits& settings, observe::registry& metrics, logger log);

    struct decision {
        bool allowed = true;
        bool is_known = false; ///< false: Redis is away, and the numbers say nothing
        std::int64_t left = 0;
        std::chrono::milliseconds until_full{0};
        std::chrono::milliseconds retry_after{0};
    };
    /// One permit of `policy` for `who`. Throws only with closed_without_redis: redis::errc.
    task<decision> take(rate_policy policy, std::string who);
    /// Whether there is one, without taking it.
    task<decision> look(rate_policy policy, std::string who);

    /// `next`, within the caller's limit. Behind authenticator::require(). Every answer carries RateLimit and
    /// RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11); 429 also Retry-After.
    http::handler limit(rate_policy policy, http::handler next);

private:
    using clock = std::chrono::steady_clock;
    /// What this thread knows of one limit.
    struct account {
        explicit account(asio::any_io_executor executor) : question{std::move(executor)} {}
        std::int64_t permits = 0; ///< taken and not spent
        clock::time_point permits_until{};
        std::int64_t left = 0; ///< as Redis said last, beside our permits
        clock::time_point full_at{};
        clock::time_point denied_until{};
        single_flight question;
    };

    std::shared_ptr<account> account_of(const std::string& key);
    std::optional<decision> decide_here(account& a, clock::time_point now, bool spend) const;
    task<void> ask(const std::string& key, account& a, const rate_limit& limit, std::int64_t wanted);
    task<decision> settle(rate_policy policy, std::string who, bool spend);
    /// A route's limit with what would be made anew for every request.
    struct route_limit {
        rate_policy policy;
        std::string field; ///< RateLimit-Policy
        std::string key_prefix;
    };
    std::optional<decision> take_here(const route_limit& limit, const std::string& who);
    task<http::response> guard(const route_limit& limit, http::request& r, const http::handler& next);

    redis::client& client_;
    const rate_limits& settings_;
    observe::counter_family& refusals_;
    observe::counter errors_;
    logger log_;
    std::unordered_map<std::string, std::shared_ptr<account>> accounts_; ///< bounded: 20,000 entries
    clock::time_point away_until_{};
    std::string key_; ///< scratch of take_here()
};

/// The 429 of a limit, with its headers.
http::problem rate_limited(const rate_policy& policy, const rate_limiter::decision& d);

/// The part of an address that one subscriber holds: IPv4 whole, of IPv6 the first 64 bits.
std::string subscriber_of(const std::string& address);

} // namespace tiktrend::gateway
