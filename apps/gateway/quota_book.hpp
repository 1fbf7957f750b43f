#pragma once
#include "middleware/principal.hpp"
#include "quota_limits.hpp"

#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/cache/response_cache.hpp>
#include <tiktrend/catalog/usage_store.hpp>
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/redis/client.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::gateway {

/// Quotas as one thread of a gateway enforces them: PostgreSQL counts, so that the limit holds over all
/// gateways. Requests of one user that come while a count is in flight are counted together in the next
/// statement (group commit, no added delay). Administrators are counted, later and without being refused.
///
/// Owned by one executor. Life: construct, use, co_await stop(); the stores, the cache and the client must
/// outlive it.
class quota_book {
public:
    quota_book(asio::any_io_executor executor, catalog::usage_store& store, cache::response_cache& answers,
               redis::client& cache_redis, quota_limits limits, observe::registry& metrics, logger log,
               const wall_clock& clock = system_wall_clock());
    ~quota_book();
    quota_book(const quota_book&) = delete;
    quota_book& operator=(const quota_book&) = delete;

    /// Counts `n` uses for the caller, all or none. What was counted, for give_back(). Throws problem 429
    /// `quota_exceeded` (nothing counted) and as usage_store::take() (perhaps counted). A caller that is
    /// cancelled is not charged.
    task<catalog::usage_key> take(const principal& who, catalog::usage_kind kind, std::int64_t n = 1);

    /// As take() for administrators, who wait for nothing; nothing is counted for others.
    std::optional<catalog::usage_key> take_unlimited(const principal& who, catalog::usage_kind kind,
                                                     std::int64_t n = 1);

    /// The work that was counted does not happen. Done in the background; if the database is away then the
    /// charge stays (logged).
    void give_back(catalog::usage_key what, std::int64_t n = 1);

    /// What the user may use a day; empty: no limit. Throws as usage_store::read().
    task<std::optional<std::int64_t>> limit_of(std::int64_t user_id, catalog::usage_kind kind);

    /// The body of GET /users/me/quota: cached, invalidated when something is counted.
    task<cache::answer> describe(std::int64_t user_id);

    /// Counts what administrators used since the last time. Before sums are read.
    task<void> flush();
    /// As flush(), but a database that is away costs this much at most; what is not counted then is counted
    /// later.
    task<void> flush_within(std::chrono::milliseconds limit);
    task<void> stop();

private:
    struct claim;
    struct line;

    task<void> serve(catalog::usage_key key, std::shared_ptr<line> waiting);
    void hand_out(catalog::usage_key key, const std::vector<std::shared_ptr<claim>>& claims,
                  const catalog::usage_store::taken& t);
    task<void> give_back_now(catalog::usage_key what, std::int64_t n);
    task<void> flush_later();
    void forget_answer(catalog::usage_key key, std::uint64_t lsn);
    task<void> forget_answers();

    asio::any_io_executor executor_;
    catalog::usage_store& store_;
    cache::response_cache& answers_;
    redis::client& redis_;
    quota_limits limits_;
    observe::counter_family& refusals_;
    logger log_;
    const wall_clock& clock_;
    std::map<catalog::usage_key, std::shared_ptr<line>> lines_; ///< users with a count in flight
    std::map<catalog::usage_key, std::int64_t> unlimited_;      ///< not yet counted
    bool flushing_ = false;
    std::map<std::string, std::uint64_t> changed_; ///< answers to forget, and from which position on
    bool forgetting_ = false;
    task_group tasks_;
};

} // namespace tiktrend::gateway
