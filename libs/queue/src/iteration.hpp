#pragma once
#include <tiktrend/queue/job.hpp>

#include <optional>
#include <string>

namespace tiktrend::queue {

/// What next_iteration.lua needs to create the job after a scheduler's job.
struct next_iteration {
    std::string opts;           ///< JSON text up to the time inside the member jobId
    std::int64_t every_ms = 0;  ///< interval of the running job's own options; 0: none
    std::int64_t cron_ms = 0;   ///< when its pattern is due next; 0: the interval decides
    std::int64_t offset_ms = 0; ///< of its own options
    std::int32_t priority = 0;
    bool lifo = false;
    std::string why; ///< unreadable
};

enum class iteration_verdict {
    create,     ///< `next` is filled in
    ended,      ///< the limit or the end date is reached, or nothing is due any more
    unreadable, ///< `opts` is not what a scheduler writes; `why` says what is wrong
};

/// What follows `job`, a scheduler's job, fetched at `now_ms`. Members of its options that nobody here knows
/// are kept.
iteration_verdict plan_next_iteration(const job_record& job, std::int64_t now_ms, next_iteration& next);

} // namespace tiktrend::queue
