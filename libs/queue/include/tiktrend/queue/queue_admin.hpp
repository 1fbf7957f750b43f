#pragma once
#include <tiktrend/queue/queue.hpp>

#include <functional>

namespace tiktrend::queue {

/// Told after each script call of a long operation how many jobs it has handled so far. Must not throw.
using progress_hook = std::function<void(std::size_t handled)>;

/// What obliterate() may remove.
struct obliterate_options {
    obliterate_options() {}
    bool force = false;        ///< also with active jobs: their workers lose them
    std::int32_t count = 1000; ///< jobs per script call, 1 … 10000
    progress_hook on_progress;
};

/// Which jobs retry_all() moves.
struct retry_all_options {
    retry_all_options() {}
    job_state state = job_state::failed;           ///< failed or completed
    std::int32_t count = 1000;                     ///< jobs per script call, 1 … 10000
    std::optional<std::int64_t> finished_until_ms; ///< only jobs that finished by then; empty: by now
    progress_hook on_progress;
};

/// Operations on all jobs of a queue. Each runs as many bounded script calls as it takes; between two of them
/// workers go on. One that is interrupted (Redis away, cancelled) has done whole jobs only and may be called
/// again. A light view: the queue must outlive every call. Errors as for queue; an argument out of range
/// throws input_error before Redis is touched.
class queue_admin {
public:
    explicit queue_admin(queue& q) noexcept : queue_{&q} {}

    /// Removes the jobs that wait, with `delayed` also those that are delayed; never active and finished
    /// ones, nor the pending job of a scheduler. Parents elsewhere stop waiting for what is removed. Number
    /// removed.
    task<std::size_t> drain(bool delayed = false, progress_hook on_progress = {});

    /// Removes jobs of one state that finished (or started, or were created) at least `grace` ago, at most
    /// `limit` (0: all); active ones only without a lock. Their ids. waiting_children cannot be cleaned.
    task<std::vector<std::string>> clean(std::chrono::milliseconds grace, std::size_t limit,
                                         job_state state = job_state::completed,
                                         progress_hook on_progress = {});

    /// Pauses, then removes the queue with every key. Throws errc::queue_is_active
    /// if jobs run and force is not set; the queue stays paused then. Jobs of other queues are left alone.
    task<std::size_t> obliterate(obliterate_options options = obliterate_options{});

    /// Failed or completed jobs back to waiting, each where its priority says. Number moved.
    task<std::size_t> retry_all(retry_all_options options = retry_all_options{});
    /// Delayed jobs to waiting, each where its priority says, `count` per script call. Number moved.
    task<std::size_t> promote_all(std::int32_t count = 1000, progress_hook on_progress = {});

    /// Cuts the events stream to about `length` entries (0 … 10^9). Number removed.
    task<std::int64_t> trim_events(std::int64_t length);
    /// Removes jobs that are in no state, as crashed or foreign programs leave them, and nothing else.
    /// `limit`: at most so many (0: all). Number removed. Scans the whole database in pages of `count` keys.
    task<std::size_t> remove_orphaned_jobs(std::int32_t count = 1000, std::size_t limit = 0);
    /// A key of versions before 4. False: there was none.
    task<bool> remove_deprecated_priority_key();
    /// Frees a deduplication id, whoever owns it. False: it was free.
    task<bool> remove_deduplication_key(std::string deduplication_id);

private:
    queue* queue_;
};

} // namespace tiktrend::queue
