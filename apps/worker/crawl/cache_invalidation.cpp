#include "cache_invalidation.hpp"

#include <tiktrend/base/timeout.hpp>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view scope = "products"; ///< the gateway's name for its product answers
constexpr auto patience = 1s;                  ///< a scrape waits no longer for a cache
constexpr auto position_patience = 500ms;      ///< of that, for the primary
constexpr auto longest_pause = 10s;

} // namespace

cache_invalidation::cache_invalidation(redis::client& cache, log_position position, worker_metrics& metrics,
                                       logger log)
    : cache_{cache}, position_{std::move(position)}, metrics_{metrics}, log_{std::move(log)},
      tasks_{cache.get_executor()} {}

void cache_invalidation::failed(const std::exception& e) {
    metrics_.invalidation_failed();
    log_.warn("cache_not_invalidated", {{"error", e.what()}});
    if (std::exchange(is_pending_, true)) return;
    tasks_.spawn("invalidate", clear_until_done());
}

task<void> cache_invalidation::changed(std::span<const catalog::changed_product> products, postgres::lsn at) {
    last_commit_ = std::max(last_commit_, at);
    if (is_pending_) co_return; // everything is going to be cleared
    std::vector<std::string> ids;
    ids.reserve(products.size());
    for (const auto& p : products)
        if (!p.is_new)
            ids.push_back(std::to_string(p.id)); // nobody holds an answer about a new id, but lists change
    try {
        co_await within(patience, cache_.invalidate(scope, ids, at.value));
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        failed(e);
    }
}

task<void> cache_invalidation::clear() {
    auto at = last_commit_;
    try {
        at = std::max(at, co_await within(position_patience, position_()));
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        log_.debug("log_position_unknown", {{"error", e.what()}});
    }
    co_await cache_.invalidate_all(scope, at.value);
}

task<void> cache_invalidation::unknown_changed() {
    if (is_pending_) co_return;
    try {
        co_await within(patience, clear());
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        failed(e);
    }
}

task<void> cache_invalidation::clear_until_done() {
    for (std::chrono::milliseconds pause = 250ms;;
         pause = std::min<std::chrono::milliseconds>(pause * 2, longest_pause)) {
        co_await sleep_for(pause);
        try {
            // A change that comes while the call is under way is told by itself: its clear may come too early
            // for it.
            is_pending_ = false;
            co_await within(patience, clear());
            log_.info("cache_cleared", {{"scope", scope}});
            co_return;
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            is_pending_ = true;
        }
    }
}

task<void> cache_invalidation::stop(std::chrono::milliseconds limit) {
    tasks_.cancel();
    co_await tasks_.join();
    if (!std::exchange(is_pending_, false)) co_return;
    try {
        co_await within(limit, clear());
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        log_.error("cache_left_stale", {{"error", e.what()}});
    }
}

} // namespace tiktrend::worker
