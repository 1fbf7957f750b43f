#pragma once
#include <tiktrend/catalog/outbox_store.hpp>
#include <tiktrend/queue/job.hpp>
#include <tiktrend/queue/job_options.hpp>

#include <optional>

namespace tiktrend::gateway {

/// The row of a job that has an id and a timestamp. Keeps priority, attempts, backoff, delay, timestamp, what
/// is kept of finished jobs, and the trace context: the options that calls of the API can set.
catalog::outbox_job to_outbox(const queue::new_job& job);

/// The job again. Nothing if the text is not of to_outbox() (stored by another version).
std::optional<queue::new_job> from_outbox(const catalog::outbox_job& row);

} // namespace tiktrend::gateway
