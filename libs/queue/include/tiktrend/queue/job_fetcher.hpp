#pragma once
#include <tiktrend/queue/lock_token.hpp>
#include <tiktrend/queue/worker.hpp>

#include <optional>

namespace tiktrend::queue {

/// Fetches jobs by hand, for programs with a loop of their own (BullMQ's Worker.getNextJob). Whoever fetches
/// ends the job with job_operations and the token, and extends its lock before lock_duration is over. Nothing
/// runs in the background.
///
/// The queue must outlive it. The options are checked as a worker's; of them, those of running, renewing and
/// ending jobs have no effect, but for max_started_attempts.
class job_fetcher {
public:
    explicit job_fetcher(queue& q, worker_options options = worker_options{});
    ~job_fetcher();
    job_fetcher(const job_fetcher&) = delete;
    job_fetcher& operator=(const job_fetcher&) = delete;

    /// The next job, whose lock is `token`; empty: there is none, or a limit or a pause holds it back. A job
    /// that must not run any more (deferred failure, max_started_attempts) is failed here, and the next one
    /// follows; a scheduler's job has its successor made before it is returned, or failed. Throws as queue
    /// does.
    task<std::optional<job_record>> get_next_job(lock_token token);
    /// The same, waiting up to `wait` for a job, on a connection of its own that is named like a worker's.
    /// Cancelling it is fine.
    task<std::optional<job_record>> get_next_job(lock_token token, std::chrono::milliseconds wait);

    /// Extends locks to lock_duration from now, in one call, at most 1,000. The ids whose lock is gone or
    /// belongs to another.
    struct held_job {
        std::string id;
        lock_token token;
    };
    task<std::vector<std::string>> extend_locks(std::vector<held_job> jobs);
    /// One stalled check, unless another worker made it less than stalled_interval ago.
    task<void> check_stalled();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::queue
