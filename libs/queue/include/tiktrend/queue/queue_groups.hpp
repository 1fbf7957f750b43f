#pragma once
#include <tiktrend/queue/queue.hpp>

#include <optional>
#include <span>

namespace tiktrend::queue {

/// Where a group is. `idle`: none of its jobs waits, so it is kept nowhere.
enum class group_status { waiting, limited, maxed, paused, idle };
std::string_view to_string(group_status s) noexcept;

/// A group in a list.
struct group_summary {
    std::string id;
    std::int64_t waiting = 0, active = 0; ///< jobs
};

/// All about one group.
struct group_details {
    group_status status = group_status::idle;
    std::int64_t waiting = 0, active = 0;    ///< jobs
    std::optional<std::int64_t> concurrency; ///< its own; empty: as workers say
    std::optional<std::int64_t> limit_max;   ///< likewise
    std::optional<std::chrono::milliseconds> limit_duration;
    std::chrono::milliseconds limited_for{0}; ///< rest of its rate limit window; 0: none runs
};

/// Groups per place, and what waits in them.
struct group_counts {
    std::int64_t waiting = 0, limited = 0, maxed = 0, paused = 0; ///< groups
    std::int64_t jobs = 0;                                        ///< waiting jobs of all groups
};

/// Groups of jobs inside a queue: job_options::group puts a job into one. Workers of this library take jobs
/// without a group first and then one job of each group in turn; group_limits (worker.hpp) and the settings
/// here hold single groups back. The words are those of BullMQ's commercial version, the keys are our own
/// (docs/job-groups.md): other clients neither see the waiting jobs of groups nor are disturbed by them.
///
/// A light view: the queue must outlive every call. Throws as queue does; input_error for a group id that is
/// empty, over 256 bytes or not UTF-8, and for numbers out of range.
class queue_groups {
public:
    explicit queue_groups(queue& q) noexcept : queue_{&q} {}

    /// False: it was so already. A group may be paused before it has jobs; running jobs go on.
    task<bool> pause(std::string group);
    task<bool> resume(std::string group);

    /// Active jobs of the group over all workers, 1 or more; empty: as workers say. Kept until it is removed.
    task<void> set_concurrency(std::string group, std::optional<std::int64_t> concurrency);
    /// Starts per window, both positive. Kept until it is removed.
    task<void> set_rate_limit(std::string group, std::int64_t max, std::chrono::milliseconds duration);
    task<void> remove_rate_limit(std::string group);
    /// No job of the group starts for so long, whatever its limits (rateLimitGroup).
    task<void> limit(std::string group, std::chrono::milliseconds duration);

    task<group_details> group(std::string group);
    task<group_counts> counts();
    /// Groups of one status (not idle) in their order; `end` -1: all.
    task<std::vector<group_summary>> groups(group_status status, std::int64_t start = 0,
                                            std::int64_t end = -1);
    /// Ids of the group's waiting jobs, next first.
    task<std::vector<std::string>> jobs(std::string group, std::int64_t start = 0, std::int64_t end = -1);
    /// Waiting jobs of the group with each of these priorities.
    task<std::vector<std::int64_t>> counts_per_priority(std::string group,
                                                        std::vector<std::int32_t> priorities);

private:
    queue* queue_;
};

} // namespace tiktrend::queue
