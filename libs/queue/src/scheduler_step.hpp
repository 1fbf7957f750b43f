#pragma once
#include "keys.hpp"

#include <tiktrend/queue/worker.hpp>
#include <tiktrend/redis/client.hpp>

namespace tiktrend::queue {

/// What whoever fetches a scheduler's job does before it runs: creates the next one, since without it the
/// scheduler would end. Tries until Redis has answered or the coroutine is cancelled.
task<void> create_next_iteration(const worker_options& options, const queue_keys& keys, redis::client& client,
                                 const job_record& job);

} // namespace tiktrend::queue
