#pragma once
#include "activity.hpp"
#include "queue_gauges.hpp"

#include <tiktrend/catalog/usage_store.hpp>
#include <tiktrend/observe/registry.hpp>

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::gateway {

/// The gauges that are read when somebody scrapes /metrics: the queue's (ops.md 2.5, design section 9) and
/// those of activity. What could not be read is absent, never 0 and never old.
class sampled_metrics {
public:
    /// `queues`: the product's own first; none in a region whose queue is elsewhere. Must outlive this
    /// object.
    sampled_metrics(observe::registry& r, asio::any_io_executor executor,
                    const std::vector<queue::queue*>& queues, activity& users, catalog::usage_store& usage);
    task<void> refresh();

private:
    struct watched {
        watched(asio::any_io_executor e, queue::queue& q, observe::counter c, observe::counter f)
            : gauges{std::move(e), q}, completed{c}, failed{f} {}
        queue_gauges gauges;
        observe::counter completed, failed;
        std::uint64_t errors_counted = 0;
    };
    task<std::vector<std::optional<queue_reading>>> read_queues();
    void show(watched& w, const std::optional<queue_reading>& now);
    void export_reading(watched& w, const queue_reading& now);
    void withdraw(const std::string& name);
    task<void> refresh_usage();

    asio::any_io_executor executor_;
    std::deque<watched> queues_;
    activity& users_;
    catalog::usage_store& usage_;

    observe::gauge_family &depth_, &backlog_, &oldest_, &paused_, &job_count_, &last_success_, &up_;
    observe::gauge_family &active_users_, &quota_usage_;
    observe::counter_family& errors_;
};

} // namespace tiktrend::gateway
