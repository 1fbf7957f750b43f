#pragma once
#include <tiktrend/base/clock.hpp>
#include <tiktrend/queue/error.hpp>
#include <tiktrend/queue/job.hpp>
#include <tiktrend/queue/job_options.hpp>
#include <tiktrend/redis/client.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tiktrend::queue {

/// How a producer adds, and what it adds with.
struct queue_options {
    queue_options() {}
    std::string prefix = "bull";
    job_options defaults;                           ///< used for members of add() options that are unset
    std::int64_t max_events = 10'000;               ///< meta opts.maxLenEvents, written by initialize()
    std::size_t max_batch = 500;                    ///< jobs in one add script
    const wall_clock* clock = &system_wall_clock(); ///< must outlive the queue
    bool emit_debounced =
        false; ///< version 5's event `debounced` before `deduplicated`, for listeners of that version
    /// Called for each job that brings no telemetry_metadata and does not omit the context: the caller's
    /// trace context as the text that workers get, e.g. {"traceparent":"00-…"}. Empty text: none.
    std::function<std::string()> trace_context;
};

/// Ids per state, read in one script (layout 4.15). `waiting` includes a v5 `paused` list and jobs that
/// wait in groups.
struct job_counts {
    std::int64_t waiting = 0, active = 0, completed = 0, failed = 0, delayed = 0, prioritized = 0,
                 waiting_children = 0;
};

/// The two gauges of ops.md 2.5, read in one script with the server's clock.
struct queue_depth {
    std::int64_t backlog = 0; ///< wait + paused + prioritized + waiting in groups + due delayed
    std::int64_t active = 0;
    std::int64_t effective =
        0; ///< work that needs a slot now: active + the backlog without what may not start
    bool paused = false;
    std::int64_t oldest_waiting_ms = 0; ///< age of the next waiting job by its timestamp; 0: none
    job_counts counts;
};

/// A page of a job's log (layout 4.11).
struct job_logs {
    std::vector<std::string> rows;
    std::int64_t count = 0;
};

/// Producer and reader of one queue. Uses a client it does not own; any number of queues share one. More, as
/// views of a queue: queue_settings.hpp, queue_admin.hpp, queue_getters.hpp, job_operations.hpp,
/// job_waiter.hpp, job_scheduler.hpp.
/// All calls throw system_error with redis::errc when Redis is unavailable, input_error, which names field,
/// value and rule, for input that is refused before Redis is touched, and system_error with queue::errc for
/// what Redis refuses.
class queue {
public:
    queue(redis::client& client, std::string name, queue_options options = queue_options{});
    ~queue();
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;

    const std::string& name() const noexcept;
    /// "<prefix>:<name>:" (layout 1.1).
    const std::string& key_base() const noexcept;
    redis::client& client() const noexcept;
    const queue_options& options() const noexcept;

    /// Writes `meta` (opts.maxLenEvents, version), as BullMQ's Queue constructor does; dashboards find queues
    /// by it.
    task<void> initialize();

    /// Adds one job and returns its id. Calls made while an earlier batch is in flight travel together in the
    /// next script (group commit, no added delay). An existing custom id is not an error: its id comes back
    /// and nothing changes (with a parent: that job becomes its child). A suppressed duplicate by
    /// deduplication id: the id of the job that stands in its way. parent_not_found,
    /// parent_cannot_be_replaced: nothing was added. The job is checked, and gets its time, when this is
    /// called.
    task<std::string> add(new_job job);

    /// Adds many in as few scripts as max_batch allows, in order. One result a job: an input that is refused
    /// does not stop the others; refusal_of() tells what is wrong with it.
    task<std::vector<result<std::string>>> add_bulk(std::vector<new_job> jobs);
    /// What add() refuses about this job before Redis is touched; empty: nothing.
    std::optional<input_error> refusal_of(new_job job) const;

    task<std::optional<job_record>> get_job(std::string id);
    task<job_state> get_state(std::string id);
    /// Both in one round trip, atomically.
    task<std::optional<std::pair<job_record, job_state>>> get_job_and_state(std::string id);
    task<job_counts> counts();
    task<queue_depth> depth();
    task<job_logs> logs(std::string id, std::int64_t start = 0, std::int64_t end = -1);
    /// Ids of a state, newest or oldest first (layout 4.15).
    task<std::vector<std::string>> ids(job_state state, std::int64_t start, std::int64_t end, bool ascending);

    task<void> pause();  ///< v6 rules, layout 4.10
    task<void> resume(); ///< drains a v5 `paused` list too
    task<bool> is_paused();

    task<void> update_progress(std::string id, std::string json);
    task<void> update_data(std::string id, std::string json);
    /// Appends a row; keeps the newest `keep` (0: all). Rows in the log afterwards.
    task<std::int64_t> add_log(std::string id, std::string row, std::int64_t keep = 0);
    task<void> promote(std::string id);
    /// Waiting, delayed, finished: removed with its keys; false if it is active (locked). job_not_found if
    /// unknown.
    task<bool> remove(std::string id);
    /// A finished job back to waiting.
    task<void> retry(std::string id, job_state from);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::queue
