#pragma once
#include <tiktrend/queue/worker.hpp>
#include <tiktrend/redis/client.hpp>

namespace tiktrend::queue {

/// How a worker's connections are kept. Locks run out while Redis cannot be reached, so the waits are short
/// beside them: an outage of a quarter of the lock's duration costs no lock, if that is ten seconds or
/// longer.
redis::client_options connection_for(const worker_options& options);

} // namespace tiktrend::queue
