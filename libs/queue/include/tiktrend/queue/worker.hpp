#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/queue/queue.hpp>

#include <functional>
#include <memory>
#include <string>

namespace tiktrend::queue {

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

    /// True once the job should end early: the worker drains past its soft phase, the job's lock was lost, or
    /// it was cancelled by id. Processors check it between steps; the coroutine is cancelled (terminal) at
    /// the same moment.
    virtual bool should_stop() const noexcept = 0;
    /// Why, for messages; empty while should_stop() is false.
    virtual std::string_view stop_reason() const noexcept = 0;

protected:
    job_record record_;
};

/// Runs one job; its return value is JSON text. Exceptions: unrecoverable_error, delayed_error and
/// released_error as their headers say; any other fails the attempt with what() as the reason.
using processor = std::function<task<std::string>(active_job&)>;

struct worker_options {
    worker_options() {}
    std::string prefix = "bull";
    std::string name; ///< `pb`, and part of the connection name (getWorkers)
    std::size_t concurrency = 1;
    std::chrono::milliseconds lock_duration{30'000}; ///< renewed every half
    std::chrono::milliseconds stalled_interval{30'000};
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
    /// (attempts made, type, message) → delay; a negative one fails the job for good.
    std::function<std::chrono::milliseconds(std::int32_t, const std::string&, const std::string&)>
        custom_backoff;
    bool run_stalled_check = true;
    const wall_clock* clock = &system_wall_clock(); ///< must outlive the worker
    std::shared_ptr<random_source> random;          ///< jitter; empty: default_random
    logger log;

    /// Hooks, called from the worker's executor; must not throw.
    std::function<void(const job_record&)> on_active;
    struct outcome {
        const job_record& job;
        enum kind { completed, failed, retried, delayed, released, lost } what;
        std::string_view reason; ///< failure reason, if any
        std::chrono::steady_clock::duration elapsed;
    };
    std::function<void(const outcome&)> on_outcome;
    std::function<void(std::size_t)> on_stalled; ///< ids moved by a stalled check
};

/// Fetches and runs jobs of one queue with its own two connections (commands, blocking wait), like BullMQ's
/// Worker. Finished jobs and fetches travel together: one script finishes n and fetches n.
///
/// Life: construct, start(), co_await stop(). See design.md section 4 for the drain.
class worker {
public:
    worker(asio::any_io_executor executor, redis::address where, std::string queue_name, processor run,
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
    /// reason. False if it does not run here.
    bool cancel(std::string_view id, std::string reason);
    /// Ends: drains if that has not begun, waits for running jobs until `finish_by`, cancels the rest, gives
    /// them back, closes the connections at the latest at `close_by`, also with Redis gone. Number of jobs
    /// that could not be given back.
    task<std::size_t> stop(std::chrono::steady_clock::time_point finish_by,
                           std::chrono::steady_clock::time_point close_by);

    std::size_t active() const noexcept;
    bool is_draining() const noexcept;
    bool is_connected() const noexcept;
    void set_concurrency(std::size_t n);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::queue
