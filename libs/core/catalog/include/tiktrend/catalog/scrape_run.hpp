#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tiktrend::catalog {

/// One attempt at one job, the primary key of the ledger `scrape_runs`.
struct run_key {
    std::string job_id;
    /// The job's own creation time (job_record::timestamp_ms): job ids start again at 1 when a Redis is
    /// replaced, and an old job's ledger must not answer for a new one.
    std::int64_t job_timestamp_ms = 0;
    /// Fencing number: the job's attempts *started* (BullMQ's `ats`), which grows each time the job is taken,
    /// also after a stall or a release - attempts made would not.
    std::int32_t attempt = 1;
};

enum class run_status {
    running,
    succeeded,   ///< the effect is complete; nothing more is written for this job
    failed,      ///< this attempt ended with an error; another may follow
    interrupted, ///< given back at a drain; another will follow
};
std::string_view to_string(run_status s) noexcept; ///< stored, do not change

/// What the ledger knows about a job: its newest attempt, with the totals of all attempts.
struct run_state {
    run_status status = run_status::running;
    std::int32_t attempt = 0;
    std::string cursor;                ///< as last committed; empty: at the beginning
    std::int64_t pages = 0;            ///< committed
    std::int64_t products_found = 0;   ///< sum over pages
    std::int64_t products_changed = 0; ///< inserted or changed
};

} // namespace tiktrend::catalog
