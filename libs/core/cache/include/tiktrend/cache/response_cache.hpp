#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/cache/entry.hpp>
#include <tiktrend/cache/key.hpp>
#include <tiktrend/cache/near_cache.hpp>
#include <tiktrend/redis/client.hpp>

#include <chrono>
#include <functional>
#include <limits>
#include <memory>

namespace tiktrend::cache {

/// Where an answer came from.
enum class outcome {
    hit_near,  ///< this process's memory
    hit,       ///< Redis
    miss,      ///< loaded, and offered to Redis
    coalesced, ///< shared with a request for the same key that came earlier
    bypass,    ///< loaded, since Redis is not there
    stale,     ///< an answer that no longer counts, since the loader's source is not there
};
std::string_view to_string(outcome o) noexcept;

/// What became of an answer that was offered to Redis.
enum class fill_result {
    stored,
    moved,   ///< an invalidation came while it was loaded
    too_old, ///< it was read before the last invalidation (a replica that lags)
    too_large,
    failed, ///< Redis did not answer
};
std::string_view to_string(fill_result r) noexcept;

/// What a loader gives.
struct loaded {
    loaded() {}
    std::string body; ///< the response body
    std::uint64_t lsn =
        0; ///< the database position it was read at or after (pg_current_wal_insert_lsn() of the primary, or
           ///< pg_last_wal_replay_lsn() of the replica, taken before the read), as a plain number
    bool found = true; ///< false: the item does not exist; kept for a short time
};

/// `lsn` of what does not come from a replica: the primary has seen every commit, so its answers pass every
/// gate. Above all positions of PostgreSQL.
inline constexpr std::uint64_t lsn_of_primary = std::numeric_limits<std::int64_t>::max();

/// Reads the answer from its source. It runs in the cache's own task and may outlive the request that started
/// it (others may wait for the same answer), so it owns what it needs: capture by value, and make the
/// coroutine a function with parameters:
///     [store, filter] { return load_products(store, filter); }
using loader = std::function<task<loaded>()>;

struct answer {
    entry_ptr value; ///< never null
    outcome how = outcome::miss;
};

struct response_cache_options {
    response_cache_options() {}
    near_cache::options near;
    std::chrono::milliseconds load_timeout{10'000}; ///< a loader is cancelled after it
    std::chrono::milliseconds negative_ttl{30'000}; ///< of answers with found == false
    double ttl_jitter = 0.1; ///< times to live are shortened by up to this share, so that keys of one moment
                             ///< do not expire in one moment
    /// How much longer than their time to live answers are kept for the time when their source is away: an
    /// answer that is too old or was invalidated is better than none. Not what was cleared, and not that
    /// there was nothing. 0: none.
    std::chrono::milliseconds stale_for{0};
    /// For so long after a failed load, unless others succeeded while it ran, those who have a stale answer
    /// do not ask the source, then one at a time until a load succeeds.
    std::chrono::milliseconds source_rest{1'000};
    /// Loads at a time while Redis is away, so that the source is not asked for everything at once;
    /// errc::overloaded beyond.
    std::size_t max_uncached_loads = 64;
    std::size_t max_value_bytes = 4U << 20; ///< larger answers are sent but not stored
    std::size_t compress_from = 1024;       ///< bytes; smaller bodies are stored plain only
    const wall_clock* clock = &system_wall_clock();
    logger log;
    // Hooks for metrics; called on the executor. They must not throw.
    std::function<void(std::string_view scope, outcome)> on_outcome;
    std::function<void(std::string_view scope, fill_result)> on_fill;
    /// What else follows the invalidation channel: a guard key (key.hpp) changed; anything may have changed.
    std::function<void(std::string_view guard)> on_changed;
    std::function<void()> on_all_changed;
};

/// Answers in three tiers: memory of this process, Redis, the loader. One loader at a time per key. The near
/// tier follows invalidations over a push connection of its own and is off while that connection is down.
/// Without Redis every request that is not coalesced goes to the loader.
///
/// One instance per thread, with a redis::client of that thread, which must outlive it. Set that client's
/// command_timeout to what a cache may cost (500 ms), since that is how long a silent Redis holds up the
/// first requests.
///
/// Life: construct, start(), get(), co_await stop().
class response_cache {
public:
    response_cache(redis::client& far, response_cache_options options = response_cache_options{});
    ~response_cache(); ///< asserts that stop() was awaited, or start() never called
    response_cache(const response_cache&) = delete;
    response_cache& operator=(const response_cache&) = delete;

    void start();
    /// Running loads are cancelled; their waiters get tiktrend::errc::stopped.
    task<void> stop();

    /// The answer, if this process holds it: no suspension, no allocation. Counts as outcome::hit_near. For
    /// the hottest path; get() does it too.
    entry_ptr find_near(const key& k);

    /// The answer from the first tier that has it. `ttl` is its life in Redis after a load. Throws what the
    /// loader throws (all who wait for it get the same exception; it is not cached), errc::timed_out if the
    /// loader takes too long. Cancelling a caller leaves the load to the others.
    task<answer> get(const key& k, std::chrono::milliseconds ttl, loader load);

    const near_cache& near() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::cache
