#pragma once
#include "job_data.hpp"

#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/cache/invalidator.hpp>
#include <tiktrend/catalog/usage_store.hpp>
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/queue/job.hpp>

#include <cstdint>
#include <optional>

namespace tiktrend::worker {

/// Counts the scrapes that schedules start, as the gateway counts those that callers start: nobody calls when
/// a schedule makes a job, so it happens where the job begins. Owned by one executor; what is handed in must
/// outlive it.
class schedule_quota {
public:
    /// `standard`: the daily quota of users without one of their own (QUOTA_SCRAPES); empty: none.
    schedule_quota(postgres::router& database, redis::client& cache, std::optional<std::int64_t> standard,
                   observe::registry& metrics, logger log, const wall_clock& clock = system_wall_clock());

    /// The job is one that this counts: a schedule made it, for a user.
    static bool concerns(const queue::job_record& job, const job_data& data);

    /// Counts one. Throws queue::unrecoverable_error when the owner's quota of the day is used up (the job
    /// fails with that reason, without another attempt) unless an administrator made the schedule; as
    /// usage_store::take() when the database does not answer.
    task<void> charge(const job_data& data);

private:
    task<void> forget_answer(catalog::usage_key key, std::uint64_t lsn);

    catalog::usage_store store_;
    cache::invalidator cache_;
    std::optional<std::int64_t> standard_;
    observe::counter refused_;
    logger log_;
    const wall_clock& clock_;
};

} // namespace tiktrend::worker
