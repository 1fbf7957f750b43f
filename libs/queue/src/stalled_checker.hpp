#pragma once
#include "keys.hpp"

#include <tiktrend/queue/worker.hpp>
#include <tiktrend/redis/client.hpp>

namespace tiktrend::queue {

/// Gives back the jobs of workers that died, once at the start and then at each interval. Every worker of a
/// queue does this; Redis lets one check per interval through. Who comes too early comes again when the
/// interval is over, so that the next check is not late if the worker that made the last one has died.
class stalled_checker {
public:
    stalled_checker(const worker_options& options, const queue_keys& keys, redis::client& client);

    task<void> run();
    /// One check, if it is time. When the next is due.
    task<std::chrono::milliseconds> check();

private:
    const worker_options& options_;
    const queue_keys& keys_;
    redis::client& client_;
};

} // namespace tiktrend::queue
