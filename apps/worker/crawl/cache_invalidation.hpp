#pragma once
#include "../metrics.hpp"
#include "product_invalidation.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/cache/invalidator.hpp>
#include <tiktrend/postgres/lsn.hpp>

#include <functional>

namespace tiktrend::worker {

/// Product invalidation through the cache's Redis. While that cannot be reached, one task goes on trying to
/// clear all product answers: by then more may be stale than is worth remembering.
///
/// `position` asks the primary where its log stands: what a clear has to say, so that no replica that lags
/// brings back what was cleared. While the primary does not answer, the last commit's position is said.
///
/// Life: construct, use, co_await stop().
class cache_invalidation final : public product_invalidation {
public:
    using log_position = std::function<task<postgres::lsn>()>;

    cache_invalidation(redis::client& cache, log_position position, worker_metrics& metrics, logger log);

    task<void> changed(std::span<const catalog::changed_product> products, postgres::lsn at) override;
    task<void> unknown_changed() override;

    /// One last try for what is pending, at most `limit`.
    task<void> stop(std::chrono::milliseconds limit);
    bool is_pending() const noexcept { return is_pending_; }

private:
    task<void> clear();
    task<void> clear_until_done();
    void failed(const std::exception& e);

    cache::invalidator cache_;
    log_position position_;
    postgres::lsn last_commit_{};
    worker_metrics& metrics_;
    logger log_;
    bool is_pending_ = false;
    task_group tasks_;
};

} // namespace tiktrend::worker
