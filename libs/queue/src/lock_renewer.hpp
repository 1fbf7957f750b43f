#pragma once
#include "keys.hpp"
#include "running_job.hpp"

namespace tiktrend::queue {

/// Renews the locks of all jobs that a worker holds, in one call per half of their duration. A job whose lock
/// is lost is asked to stop: it may run elsewhere by then, and nothing that it does here counts any more.
class lock_renewer {
public:
    lock_renewer(const worker_options& options, const queue_keys& keys, job_connection& connection,
                 running_jobs& jobs);

    task<void> run();
    /// One round. False if Redis could not be asked.
    task<bool> renew();

private:
    const worker_options& options_;
    const queue_keys& keys_;
    job_connection& connection_;
    running_jobs& jobs_;
};

} // namespace tiktrend::queue
