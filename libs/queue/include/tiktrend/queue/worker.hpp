#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/queue/backoff_strategy.hpp>
#include <tiktrend/queue/queue.hpp>

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace tiktrend::queue {

/// Full job key of a child ("<prefix>:<queue>:<id>") and a text: its value as JSON, or why it failed.
using child_results = std::vector<std::pair<std::string, std::string>>;

/// What a processor gets: the job it runs, valid until it returns.
class active_job {
public:
    virtual ~active_job() = default;
    const job_record& record() const noexcept { return record_; }
    const std::string& id() const noexcept { return record_.id; }

    /// Each throws system_error(queue::errc::job_not_found …) or redis::errc.
    virtual task<void> update_progress(std::string json) = 0;
    virtual task<void> update_data(std::string json) = 0;
    virtual task<void> log(std::string row) = 0;

    /// What children returned (getChildrenValues), and why those failed that the job goes on without
    /// (getIgnoredChildrenFailures). In no order.
    virtual task<child_results> children_values() = 0;
    virtual task<child_results> ignored_children_failures() = 0;
    /// For a job that has added children while it ran: true if it waits for them now (for `child`, a full job
    /// key; empty: for all). Then it is no longer active here, and the processor ends with
    /// waiting_children_error; it starts again when they are done. False: nothing to wait for, go on. Throws
    /// system_error(errc::failed_children) and what a lost lock gives.
    virtual task<bool> move_to_waiting_children(std::string child = {}) = 0;
    /// Nobody who knows a rate limit starts a job of the queue, or of the job's group, for so long. The
    /// processor then ends with rate_limited_error. rate_limit_group throws std::logic_error without a group.
    virtual task<void> rate_limit(std::chrono::milliseconds duration) = 0;
    virtual task<void> rate_limit_group(std::chrono::milliseconds duration) = 0;

    /// True once the job should end early: the worker drains past its soft phase, the job's lock was lost, or
    /// it was cancelled by id. Processors check it between steps; the coroutine is cancelled (terminal,
    /// through its own slot, this_coro::cancellation_state) at the same moment, and stop_token() is
    /// requested, for work on other threads.
    virtual bool should_stop() const noexcept = 0;
    virtual std::stop_token stop_token() = 0;
    /// Why, for messages; empty while should_stop() is false.
    virtual std::string_view stop_reason() const noexcept = 0;

protected:
    job_record record_;
};

/// Runs one job; its return value is JSON text. Exceptions: unrecoverable_error, delayed_error,
/// released_error, waiting_children_error and rate_limited_error as their headers say; any other fails the
/// attempt with what() as the reason.
using processor = std::function<task<std::string>(active_job&)>;

/// Several jobs for one call of a processor; valid until it returns.
class active_batch {
public:
    virtual ~active_batch() = default;
    /// At least one. A job whose should_stop() is true need not be worked on.
    virtual std::span<active_job* const> jobs() const noexcept = 0;
    /// This job's attempt fails with `error`, which may be any that a processor of single jobs may throw; the
    /// others are not touched. The last word on a job counts.
    virtual void set_as_failed(active_job& job, std::exception_ptr error) = 0;
    /// This job's own value, JSON; what the processor returns is for the others.
    virtual void set_value(active_job& job, std::string json) = 0;
    /// True once all its jobs should stop; the coroutine is cancelled (terminal) then.
    virtual bool should_stop() const noexcept = 0;
};

/// Runs a batch. What it returns is the value of every job without one of its own; what it throws fails every
/// job that was given neither a value nor an error. Each job is ended, retried and kept by its own options.
using batch_processor = std::function<task<std::string>(active_batch&)>;

/// How a worker gathers batches (BullMQ Pro's `batches`).
struct batch_options {
    batch_options() {}
    std::size_t size = 10;                ///< most jobs of one call
    std::size_t min_size = 1;             ///< fewer wait for more, active and with their locks renewed …
    std::chrono::milliseconds timeout{0}; ///< … for so long after the first; 0: as long as it takes
};

/// Limits of each group of jobs (group_options of a job; queue_groups.hpp), checked by the workers that say
/// them. A group's own settings have precedence. 0: no limit.
struct group_limits {
    group_limits() {}
    std::size_t concurrency = 0; ///< active jobs of one group, over all workers
    std::int64_t limit_max = 0;  ///< jobs of one group started per window …
    std::chrono::milliseconds limit_duration{0};
};

/// How a worker runs jobs. Times of zero mean none unless said otherwise; none is longer than ten years
/// (longer ones are cut). A limit of starts without its duration is refused with std::invalid_argument when
/// the worker is made.
struct worker_options {
    worker_options() {}
    std::string prefix = "bull";
    std::string name;                                ///< `pb`, and part of the connection name (getWorkers)
    std::size_t concurrency = 1;                     ///< jobs, or batches, at once
    std::chrono::milliseconds lock_duration{30'000}; ///< renewed every half; 100 ms at least
    std::chrono::milliseconds stalled_interval{30'000}; ///< 100 ms at least
    std::int32_t max_stalled_count = 1;
    std::int32_t max_started_attempts = 0;               ///< 0: no limit
    std::chrono::milliseconds drain_delay{5'000};        ///< longest blocking wait on an empty queue
    keep_policy remove_on_complete = keep_policy::all(); ///< for jobs that do not say
    keep_policy remove_on_fail = keep_policy::all();
    std::size_t metrics_max_data_points = 0; ///< 0: no metrics keys
    /// Jobs that all workers of the queue start per window (BullMQ's limiter; the queue's own `max` has
    /// precedence). 0: no limit.
    std::int64_t limiter_max = 0;
    std::chrono::milliseconds limiter_duration{0};
    std::chrono::milliseconds maximum_rate_limit_delay{30'000}; ///< looks again after so long at the latest
    group_limits group;
    batch_options batch; ///< for a batch_processor
    backoff_strategy
        custom_backoff; ///< for types of back-off that are not built in; empty: those jobs fail for good
    bool run_stalled_check = true;
    bool run_lock_renewal = true;                   ///< false: jobs must end within lock_duration
    const wall_clock* clock = &system_wall_clock(); ///< must outlive the worker
    std::shared_ptr<random_source> random;          ///< jitter; empty: default_random
    logger log;

    /// Hooks, called from the worker's executor; must not throw.
    std::function<void(const job_record&)> on_active;
    /// How a job ended, for on_outcome.
    struct outcome {
        const job_record& job;
        enum kind { completed, failed, retried, delayed, released, waiting_children, lost } what;
        std::string_view reason; ///< failure reason, if any
        std::chrono::steady_clock::duration elapsed;
    };
    std::function<void(const outcome&)> on_outcome;
    std::function<void(std::size_t)> on_stalled; ///< ids moved by a stalled check
    /// Trace context of a failed attempt (reason given), e.g. of the job's span, stored in the job's field
    /// `tm`. Empty text: none. The producer's context is job_record::telemetry_metadata.
    std::function<std::string(const job_record&, std::string_view reason)> failure_trace_context;
};

/// Fetches and runs jobs of one queue with its own two connections (commands, blocking wait), like BullMQ's
/// Worker. Finished jobs and fetches travel together: one script finishes n and fetches n.
///
/// Life: construct, start(), co_await stop(). See design.md section 4 for the drain.
class worker {
public:
    worker(asio::any_io_executor executor, redis::address where, std::string queue_name, processor run,
           worker_options options = worker_options{});
    worker(asio::any_io_executor executor, redis::address where, std::string queue_name, batch_processor run,
           worker_options options = worker_options{});
    /// stop() must have ended. A processor that still runs then (it ignored its cancellation) keeps what it
    /// uses alive; nothing of it is waited for.
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    void start();

    /// Phase one: no new job is started; running ones go on.
    void begin_drain();
    /// Waits until no job runs, at most until `deadline`. True if none runs.
    task<bool> wait_idle(std::chrono::steady_clock::time_point deadline);
    /// Phase two: asks the running jobs to stop (should_stop(), cancellation). What ends with released_error
    /// or by cancellation goes back to the front of its state without spending an attempt.
    void cancel_running(std::string reason);
    /// Asks one running job to stop. However it ends then, unless with a value, it fails for good with this
    /// reason (an empty one becomes "cancelled"). False if it does not run here.
    bool cancel(std::string_view id, std::string reason);
    /// As cancel() for every running job; how many.
    std::size_t cancel_all(std::string reason);
    /// Takes no more jobs until resume(); running ones go on and are not waited for (wait_idle() does that).
    /// A job that is on its way here goes back to the front of its place. The queue itself is not paused.
    void pause();
    void resume();
    bool is_paused() const noexcept;
    /// Whoever knows a rate limit starts no job of the queue for so long (BullMQ's Worker.rateLimit; layout
    /// 4.8). A processor that calls it ends with rate_limited_error.
    task<void> rate_limit(std::chrono::milliseconds duration);
    /// Ends: drains if that has not begun, waits for running jobs until `finish_by`, cancels the rest, gives
    /// them back, closes the connections at the latest at `close_by`, also with Redis gone. Number of jobs
    /// that could not be given back.
    task<std::size_t> stop(std::chrono::steady_clock::time_point finish_by,
                           std::chrono::steady_clock::time_point close_by);

    std::size_t active() const noexcept;
    bool is_draining() const noexcept;
    bool is_connected() const noexcept;
    /// 1 or more; running jobs above a smaller number end as they would have.
    void set_concurrency(std::size_t n);
    std::size_t concurrency() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::queue
