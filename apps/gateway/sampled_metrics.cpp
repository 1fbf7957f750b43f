#include "sampled_metrics.hpp"

#include <tiktrend/base/timeout.hpp>

#include <array>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

double as_seconds(std::int64_t ms) {
    return static_cast<double>(ms) / 1000.0;
}

/// Brings a counter that Redis owns to its total there. A smaller total (obliterated queue) leaves it as it
/// is: counters of a process never go back.
void raise_to(const observe::counter& c, std::int64_t total) {
    if (const auto by = static_cast<double>(total) - c.value(); by > 0) c.add(by);
}

/// BullMQ's names of the states (its exportPrometheusMetrics()).
std::array<std::pair<std::string_view, std::int64_t>, 7> by_state(const queue::job_counts& c) {
    return {{{"waiting", c.waiting},
             {"active", c.active},
             {"completed", c.completed},
             {"failed", c.failed},
             {"delayed", c.delayed},
             {"prioritized", c.prioritized},
             {"waiting-children", c.waiting_children}}};
}

} // namespace

sampled_metrics::sampled_metrics(observe::registry& r, queue_gauges& queue, activity& users,
                                 catalog::usage_store& usage, redis::client& queue_redis, std::string queue_name, std::string key_base)
    : queue_{queue}, users_{users}, usage_{usage}, redis_{queue_redis}, name_{std::move(queue_name)},
      key_base_{std::move(key_base)},
      depth_{r.gauges("bullmq_queue_depth",
                      "Work that needs a worker slot now: runnable backlog (0 while paused, clamped by "
                      "global concurrency) + active. "
                      "Every gateway exports the same value: aggregate with max by (queue), not sum.",
                      {"queue"})},
      backlog_{r.gauges("scraping_queue_depth",
                        "Runnable backlog of the scraping queue, not started: waiting + prioritized + due "
                        "delayed. Aggregate with max.",
                        {})},
      oldest_{r.gauges("bullmq_queue_oldest_waiting_seconds", "Age of the next waiting job; 0 if none waits.",
                       {"queue"})},
      paused_{r.gauges("bullmq_queue_paused", "1 while the queue is paused.", {"queue"})},
      job_count_{r.gauges("bullmq_job_count", "Jobs by state.", {"queue", "state"})},
      last_success_{r.gauges("queue_metrics_last_success_timestamp_seconds",
                             "Unix time of the last good reading of the queue.", {})},
      active_users_{r.gauges(
          "active_users",
          "Distinct API principals of the last 5 minutes over all gateways. Aggregate with max.", {})},
      quota_usage_{r.gauges(
          "quota_usage",
          "Use counted against quotas since midnight UTC, over all gateways. Aggregate with max.", {"type"})},
      errors_{r.counters("queue_metrics_errors_total", "Readings of the queue that failed.", {"reason"})},
      completed_{r.counters("bullmq_job_completed_total",
                            "Jobs completed, as counted by workers with metrics on.", {"queue"})(name_)},
      failed_{r.counters("bullmq_job_failed_total",
                         "Jobs failed for good, as counted by workers with metrics on.", {"queue"})(name_)},
      up_{r.make_gauge(
          "queue_metrics_up",
          "1 if the last reading of the queue succeeded; while 0 the queue's gauges are absent.")} {}

void sampled_metrics::export_depth(const queue::queue_depth& d) {
    depth_(name_).set(static_cast<double>(d.effective));
    backlog_().set(static_cast<double>(d.backlog));
    oldest_(name_).set(as_seconds(d.oldest_waiting_ms));
    paused_(name_).set(d.paused ? 1 : 0);
    for (const auto& [state, n] : by_state(d.counts))
        job_count_(name_, state).set(static_cast<double>(n));
}

void sampled_metrics::withdraw_depth() {
    for (auto* family : {&depth_, &oldest_, &paused_})
        family->remove({name_});
    backlog_.remove({});
    for (const auto& [state, n] : by_state({}))
        job_count_.remove({name_, state});
}

task<void> sampled_metrics::refresh_job_totals() {
    try {
        const std::array commands{redis::command{"HGET", key_base_ + "metrics:completed", "count"},
                                  redis::command{"HGET", key_base_ + "metrics:failed", "count"}};
        const auto replies = co_await within(1s, redis_.exec_all(commands));
        raise_to(completed_, replies.at(0).integer());
        raise_to(failed_, replies.at(1).integer());
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw; // otherwise queue_metrics_up says it already
    }
}

task<void> sampled_metrics::refresh() {
    const auto depth = co_await queue_.sample();
    if (depth)
        export_depth(*depth);
    else
        withdraw_depth();
    up_.set(depth ? 1 : 0);
    if (queue_.last_success_ms() > 0) last_success_().set(as_seconds(queue_.last_success_ms()));
    if (const auto n = queue_.errors(); n > errors_counted_)
        errors_(queue_.last_error()).add(static_cast<double>(n - std::exchange(errors_counted_, n)));
    if (depth) co_await refresh_job_totals();
    if (const auto active = co_await users_.exchange())
        active_users_().set(static_cast<double>(*active));
    else
        active_users_.remove({});
    co_await refresh_usage();
}

task<void> sampled_metrics::refresh_usage() {
    std::optional<std::array<std::int64_t, catalog::usage_kinds.size()>> sums;
    try {
        sums = co_await within(1s, usage_.totals(catalog::usage_day_of(system_wall_clock().now_ms())));
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
    }
    for (const auto kind : catalog::usage_kinds) {
        const auto name = catalog::to_string(kind);
        if (sums)
            quota_usage_(name).set(static_cast<double>((*sums)[static_cast<std::size_t>(kind)]));
        else
            quota_usage_.remove({name});
    }
}

} // namespace tiktrend::gateway
