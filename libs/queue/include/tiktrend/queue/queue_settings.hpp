#pragma once
#include <tiktrend/queue/queue.hpp>

#include <chrono>
#include <optional>

namespace tiktrend::queue {

/// Jobs that all workers of a queue together start per window.
struct rate_limit {
    std::int64_t max = 0;
    std::chrono::milliseconds duration{0};
    friend bool operator==(const rate_limit&, const rate_limit&) = default;
};

/// The hash `meta` (BullMQ's getMeta).
struct queue_meta {
    bool paused = false;
    std::optional<std::int64_t> concurrency; ///< global
    std::optional<std::int64_t> max;         ///< global rate limit: jobs …
    std::optional<std::int64_t> duration_ms; ///< … per window
    std::int64_t max_events = 10'000;
    std::string version; ///< "<library>:<version>" of who constructed a queue last; empty: nobody
    std::vector<std::pair<std::string, std::string>> other; ///< fields of others
};

/// What a queue says to all its workers, whoever runs them. A light view: copies the reference, nothing else;
/// the queue must outlive every call. Errors as for queue; an argument out of range throws input_error.
class queue_settings {
public:
    explicit queue_settings(queue& q) noexcept : queue_{&q} {}

    task<queue_meta> meta();
    task<std::string> version();
    /// Target length of the events stream, 0 … 10^9. Takes effect with the next event.
    task<void> set_max_events(std::int64_t length);

    /// Jobs that may be active at once, over all workers. At least 1. Raising or removing it wakes a worker.
    task<void> set_global_concurrency(std::int64_t jobs);
    task<std::optional<std::int64_t>> global_concurrency();
    task<void> remove_global_concurrency();
    /// True while the global concurrency is used up; false without one.
    task<bool> is_maxed();

    /// Both at least 1 (ms). A worker that has a limiter of its own keeps its own window, as with BullMQ.
    task<void> set_global_rate_limit(rate_limit limit);
    /// Empty unless both parts are set.
    task<std::optional<rate_limit>> global_rate_limit();
    task<void> remove_global_rate_limit();

    /// No worker that knows a limit starts a job for this long (at least 1 ms), whatever was counted before.
    task<void> limit_now(std::chrono::milliseconds duration);
    /// How long workers wait because of a rate limit: zero if they do not. `max`: the limit to judge by;
    /// empty: the queue's own, and without one the life of the counter.
    task<std::chrono::milliseconds> rate_limit_ttl(std::optional<std::int64_t> max = {});
    /// Ends a limit, manual or counted. False: there was none.
    task<bool> remove_rate_limit_key();

private:
    queue* queue_;
};

} // namespace tiktrend::queue
