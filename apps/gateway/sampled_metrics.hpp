#pragma once
#include "activity.hpp"
#include "queue_gauges.hpp"

#include <tiktrend/catalog/usage_store.hpp>
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/redis/client.hpp>

#include <string>

namespace tiktrend::gateway {

/// The gauges that are read when somebody scrapes /metrics: the queue's (ops.md 2.5, design section 9) and
/// those of activity. What could not be read is absent, never 0 and never old.
class sampled_metrics {
public:
    sampled_metrics(observe::registry& r, queue_gauges& queue, activity& users, catalog::usage_store& usage,
                    redis::client& queue_redis, std::string queue_name, std::string key_base);
    task<void> refresh();

private:
    void export_depth(const queue::queue_depth& d);
    void withdraw_depth();
    task<void> refresh_job_totals();
    task<void> refresh_usage();

    queue_gauges& queue_;
    activity& users_;
    catalog::usage_store& usage_;
    redis::client& redis_;
    std::string name_;
    std::string key_base_;

    observe::gauge_family &depth_, &backlog_, &oldest_, &paused_, &job_count_, &last_success_;
    observe::gauge_family &active_users_, &quota_usage_;
    observe::counter_family& errors_;
    observe::counter completed_, failed_;
    observe::gauge up_;
    std::uint64_t errors_counted_ = 0;
};

} // namespace tiktrend::gateway
