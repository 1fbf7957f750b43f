#pragma once
#include "conveyor.hpp"

namespace tiktrend::queue {

/// Why a job that was fetched must not run; empty: it may. Who fetches a job obeys what others have written
/// into it.
std::string refusal_of(const job_record& record, const worker_options& options);

/// How the jobs of a worker end: what a processor returned or threw becomes an outcome for the conveyor, what
/// Redis answers to it becomes a report for the worker's owner.
class job_ends {
public:
    job_ends(const worker_options& options, const queue_keys& keys, job_connection& connection,
             conveyor& carrier)
        : options_{options}, keys_{keys}, connection_{connection}, carrier_{carrier} {}

    std::string refusal(const job_record& record) const { return refusal_of(record, options_); }

    /// The processor has ended with a value (JSON; empty stands for null) or an error.
    void end(running_job& job, std::string value, std::exception_ptr error);
    /// Fails for good without having run.
    void refuse(running_job& job, std::string reason);
    /// Goes back without having run.
    void release(running_job& job);

    /// What Redis said to the outcome (0 or a script code). True: the job is done with; false: it has got
    /// another outcome.
    bool confirm(running_job& job, std::int64_t code) const;

private:
    settlement_rules rules_for(const running_job& job) const;
    void report(const running_job& job, const error_code& refused) const;

    const worker_options& options_;
    const queue_keys& keys_;
    job_connection& connection_;
    conveyor& carrier_;
};

} // namespace tiktrend::queue
