#pragma once
#include <chrono>
#include <cstdint>

namespace tiktrend::gateway {

/// When a job counts as accepted (ENQUEUE_DURABILITY).
enum class durability : std::uint8_t {
    local,      ///< the queue's Redis has it
    replicated, ///< and so many of its replicas have confirmed it (WAIT)
    outbox,     ///< PostgreSQL has it; it is added to the queue from there, again if Redis loses it
};

struct enqueue_settings {
    durability how = durability::local;
    int replicas = 1;                               ///< replicated: confirmations wanted
    std::chrono::milliseconds replica_timeout{500}; ///< replicated: then 503
    std::chrono::milliseconds outbox_wait{
        250}; ///< outbox: how long an answer waits for the queue to have the job
    std::chrono::milliseconds relay_interval{1000};   ///< outbox: between looks for jobs that are due
    std::chrono::milliseconds outbox_recheck{30'000}; ///< outbox: whether a job has ended, or was lost
    std::int64_t max_backlog =
        200'000; ///< jobs that wait for a worker: with more, new ones get 503; 0: no limit
};

} // namespace tiktrend::gateway
