#pragma once
// The words of the interop actors (tests/interop/README.md): BullMQ's JavaScript options to ours, our jobs to
// what Node shows.
#include <tiktrend/queue/job.hpp>
#include <tiktrend/queue/queue.hpp>
#include <tiktrend/queue/worker.hpp>

#include <boost/json.hpp>

namespace tiktrend::interop {

namespace json = boost::json;

/// {jobId, priority, delay, attempts, backoff, lifo, removeOnComplete, removeOnFail, timestamp, keepLogs,
/// stackTraceLimit}. Throws std::runtime_error for a name it does not know, so that a scenario cannot ask in
/// vain.
queue::job_options job_options_of(const json::object& opts);

/// {name, data, opts?}
queue::new_job new_job_of(const json::object& job);

/// {concurrency, lockDuration, stalledInterval, maxStalledCount, maxStartedAttempts, drainDelay,
/// removeOnComplete, removeOnFail, metrics, limiter, backoffs}
queue::worker_options worker_options_of(const json::object& options);

/// The same members as describe() in ../node/actor.mjs.
json::object describe(const queue::job_record& job, queue::job_state state);

json::object describe(const queue::job_counts& counts);

queue::job_state job_state_of(std::string_view name);

} // namespace tiktrend::interop
