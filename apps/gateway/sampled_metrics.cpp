#include "sampled_metrics.hpp"

#include <tiktrend/base/timeout.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

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

sampled_metrics::sampled_metrics(observe::registry& r, asio::any_io_executor executor,
                                 const std::vector<queue::queue*>& queues, activity& users,
                                 catalog::usage_store& usage)
    : executor_{executor}, users_{users}, usage_{usage},
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
      up_{r.gauges(
          "queue_metrics_up",
          "1 if the last reading of the queue succeeded; while 0 the queue's gauges are absent. A gateway "
          "of a replica region has none: it does not read the queue.",
          {})},
      active_users_{r.gauges(
          "active_users",
          "Distinct API principals of the last 5 minutes over all gateways. Aggregate with max.", {})},
      quota_usage_{r.gauges(
          "quota_usage",
          "Use counted against quotas since midnight UTC, over all gateways. Aggregate with max.", {"type"})},
      errors_{r.counters("queue_metrics_errors_total", "Readings of the queue that failed.", {"reason"})} {
    auto& completed = r.counters("bullmq_job_completed_total",
                                 "Jobs completed, as counted by workers with metrics on.", {"queue"});
    auto& failed = r.counters("bullmq_job_failed_total",
                              "Jobs failed for good, as counted by workers with metrics on.", {"queue"});
    for (auto* q : queues)
        queues_.emplace_back(executor, *q, completed(q->name()), failed(q->name()));
}

void sampled_metrics::export_reading(watched& w, const queue_reading& now) {
    const auto& name = w.gauges.queue_name();
    const auto& d = now.depth;
    depth_(name).set(static_cast<double>(d.effective));
    if (&w == &queues_.front()) backlog_().set(static_cast<double>(d.backlog));
    oldest_(name).set(as_seconds(d.oldest_waiting_ms));
    paused_(name).set(d.paused ? 1 : 0);
    for (const auto& [state, n] : by_state(d.counts))
        job_count_(name, state).set(static_cast<double>(n));
    raise_to(w.completed, now.completed);
    raise_to(w.failed, now.failed);
}

void sampled_metrics::withdraw(const std::string& name) {
    for (auto* family : {&depth_, &oldest_, &paused_})
        family->remove({name});
    if (name == queues_.front().gauges.queue_name()) backlog_.remove({});
    for (const auto& [state, n] : by_state({}))
        job_count_.remove({name, state});
}

/// All at once, so that ten queues cost one round trip, or one wait for a Redis that is away.
task<std::vector<std::optional<queue_reading>>> sampled_metrics::read_queues() {
    if (queues_.empty()) co_return std::vector<std::optional<queue_reading>>{};
    const auto read = [this](watched& w) {
        return asio::co_spawn(executor_, w.gauges.sample(), asio::deferred);
    };
    std::vector<decltype(read(queues_.front()))> reads;
    for (auto& w : queues_)
        reads.push_back(read(w));
    auto [order, errors, readings] = co_await asio::experimental::make_parallel_group(std::move(reads))
                                         .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const auto& e : errors)
        if (e) std::rethrow_exception(e); // cancelled with the request
    co_return std::move(readings);
}

void sampled_metrics::show(watched& w, const std::optional<queue_reading>& now) {
    if (now)
        export_reading(w, *now);
    else
        withdraw(w.gauges.queue_name());
    if (const auto n = w.gauges.errors(); n > w.errors_counted)
        errors_(w.gauges.last_error()).add(static_cast<double>(n - std::exchange(w.errors_counted, n)));
}

task<void> sampled_metrics::refresh() {
    const auto readings = co_await read_queues();
    bool is_up = true;
    for (std::size_t i = 0; i < queues_.size(); ++i) {
        show(queues_[i], readings[i]);
        is_up = is_up && readings[i];
    }
    if (!queues_.empty()) {
        up_().set(is_up ? 1 : 0);
        if (const auto at = queues_.front().gauges.last_success_ms(); at > 0)
            last_success_().set(as_seconds(at));
    }
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
