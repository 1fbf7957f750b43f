#pragma once
#include <tiktrend/queue/backoff_strategy.hpp>
#include <tiktrend/queue/lock_token.hpp>
#include <tiktrend/queue/queue.hpp>

namespace tiktrend::queue {

/// What a retried job starts anew with.
struct retry_options {
    retry_options() {}
    job_state from = job_state::failed; ///< failed or completed: where the job is
    bool reset_attempts_made = false;
    bool reset_attempts_started = false;
};

/// Where a job with a new priority goes.
struct priority_change {
    priority_change() {}
    std::int32_t priority = 0; ///< 0 … 2097151
    bool lifo = false;         ///< before the others of this priority instead of behind them
};

/// How a failed attempt ended (move_to_failed).
enum class failure_outcome { failed, delayed, waiting };

/// Operations on one job beside those of queue.hpp (progress, data, log rows, promote). Each is one script:
/// it is done whole or, when it is refused, not at all. A light view: the queue must outlive every call.
///
/// Refusals throw system_error: job_not_found, job_not_in_state, lock_not_found, lock_mismatch and what is
/// named below; an argument out of range throws input_error before Redis is touched.
class job_operations {
public:
    explicit job_operations(queue& q) noexcept : queue_{&q} {}

    /// Counts from now; 0 … ten years. The job must be delayed.
    task<void> change_delay(std::string id, std::chrono::milliseconds delay);
    /// A waiting job moves to its new place; any other keeps the new priority for later.
    task<void> change_priority(std::string id, priority_change change);
    /// Keeps the newest `keep` rows (0: none).
    task<void> clear_logs(std::string id, std::int64_t keep = 0);
    /// A finished job back to waiting.
    task<void> retry(std::string id, retry_options options = retry_options{});
    /// False: it, or with children one of them, is active, and nothing was done. Also belongs_to_scheduler.
    task<bool> remove(std::string id, bool with_children = true);
    /// Removes all descendants that have neither started nor finished. Number removed.
    task<std::size_t> remove_unprocessed_children(std::string id);
    /// Cuts a child from its parent, which stops waiting for it. False: the parent did not wait for it. Also
    /// parent_not_found.
    task<bool> remove_child_dependency(std::string id);
    /// Frees the job's deduplication id if the job owns it.
    task<bool> remove_deduplication_key(std::string id);

    // By hand: for who holds the lock of an active job (a fetch by hand).

    /// value: JSON. Also pending_dependencies and failed_children.
    task<void> move_to_completed(std::string id, std::string value, lock_token token);
    /// A failed attempt: tried again as the job's attempts and back-off say, unless final. `custom` is asked
    /// for types of back-off that are not built in; without, those jobs fail for good.
    task<failure_outcome> move_to_failed(std::string id, std::string reason, lock_token token,
                                         bool is_final = false, backoff_strategy custom = backoff_strategy{});
    /// Later, at a wall time in ms; spends no attempt.
    task<void> move_to_delayed(std::string id, std::int64_t until_ms, lock_token token);
    /// Back to the front of its place; spends no attempt.
    task<void> move_to_wait(std::string id, lock_token token);
    /// Waits for its children (or for `child`, a full job key). False: they are done, and the job stays
    /// active. Also failed_children.
    task<bool> move_to_waiting_children(std::string id, lock_token token, std::string child = {});
    task<void> extend_lock(std::string id, lock_token token, std::chrono::milliseconds duration);

    task<bool> is_completed(std::string id);
    task<bool> is_failed(std::string id);
    task<bool> is_delayed(std::string id);
    task<bool> is_active(std::string id);
    task<bool> is_waiting(std::string id); ///< also while prioritized
    task<bool> is_waiting_children(std::string id);

private:
    task<bool> is_in(std::string id, job_state state);
    queue* queue_;
};

/// The parent of a job, read from its link (layout of BullMQ, `parent`).
struct parent_link {
    std::string id;
    std::string queue_key; ///< "<prefix>:<queue>"
    bool fail_parent = false, continue_parent = false, ignore_dependency = false, remove_dependency = false;
};
/// Empty: the job has no parent, or the link is unreadable.
std::optional<parent_link> parent_of(const job_record& job);

} // namespace tiktrend::queue
