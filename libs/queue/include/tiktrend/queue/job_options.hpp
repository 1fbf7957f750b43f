#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace tiktrend::queue {

/// Delay between attempts (layout 4.7).
struct backoff_options {
    std::string type =
        "fixed"; ///< "fixed", "exponential", or a name that worker_options::custom_backoff knows
    std::chrono::milliseconds delay{0};
    double jitter = 0; ///< 0 … 1: share of the delay that is random
    friend bool operator==(const backoff_options&, const backoff_options&) = default;
};

/// What happens to a finished job (removeOnComplete, removeOnFail; layout 4.6).
struct keep_policy {
    std::optional<std::int64_t>
        count; ///< keep at most this many; 0: remove at once; empty: no limit; up to 2^53 - 1
    std::optional<std::chrono::seconds> age; ///< keep at most this long, checked when a job finishes
    std::optional<std::int64_t> limit;       ///< age: remove at most this many at a time (1000)

    static keep_policy all() { return {}; }
    static keep_policy none() { return {0, {}, {}}; }
    static keep_policy newest(std::int64_t n) { return {n, {}, {}}; }
    friend bool operator==(const keep_policy&, const keep_policy&) = default;
};

/// At most one job per id at a time (layout 4.3). The plain form suppresses further adds until the owner of
/// the id has finished or is removed; add() then returns the owner's id.
struct deduplication_options {
    std::string id; ///< not empty
    /// Throttle: suppress for this long, also after the owner has finished.
    std::optional<std::chrono::milliseconds> ttl;
    bool extend = false;              ///< each suppressed add starts the ttl again
    bool replace = false;             ///< debounce: a delayed owner gives way to the new job
    bool reschedule = false;          ///< a delayed owner is moved to the new job's delay
    bool keep_last_if_active = false; ///< the last add while the owner runs is done after it; ttl is ignored
    friend bool operator==(const deduplication_options&, const deduplication_options&) = default;
};

/// The job that waits for this one (layout 4.14). It must exist, in any queue whose keys share the cluster
/// slot.
struct parent_options {
    std::string id;
    std::string queue; ///< qualified: "<prefix>:<queue>", e.g. "bull:reports"
    friend bool operator==(const parent_options&, const parent_options&) = default;
};

/// The group that a job belongs to (queue_groups.hpp): groups give their jobs in turn.
struct group_options {
    std::string id;                       ///< 1 to 256 bytes of UTF-8
    std::int32_t priority = 0;            ///< inside the group; 0: first … 2097151
    std::optional<std::int64_t> max_size; ///< group_is_full if so many of its jobs wait already
    friend bool operator==(const group_options&, const group_options&) = default;
};

/// Options of one job, under BullMQ's names. Unset means BullMQ's default.
struct job_options {
    job_options() {}
    std::string id;            ///< custom id; empty: generated. Rules: layout 2.5
    std::int32_t priority = 0; ///< 0: none, first; 1 … 2097151: lower is sooner
    std::chrono::milliseconds delay{0};
    std::int32_t attempts = 0; ///< 0 and 1: a single attempt
    std::optional<backoff_options> backoff;
    bool lifo = false; ///< ignored for prioritized jobs, as upstream
    std::optional<keep_policy> remove_on_complete;
    std::optional<keep_policy> remove_on_fail;
    std::optional<std::int64_t> timestamp_ms; ///< creation time; empty: the queue's clock
    std::optional<std::int32_t> keep_logs;
    std::optional<std::int32_t> stack_trace_limit;
    std::optional<std::size_t> size_limit;              ///< bytes of data; data_too_large above
    std::string telemetry_metadata;                     ///< `tm`: W3C trace context as JSON text
    bool omit_context = false;                          ///< `omc`: the worker starts a trace of its own
    std::optional<deduplication_options> deduplication; ///< not together with `parent`
    std::optional<group_options> group;                 ///< not together with `priority`
    std::optional<parent_options> parent;               ///< parent_not_found if it does not exist
    // What the failure of this job means for its parent; at most one. Without, the parent goes on waiting.
    bool fail_parent_on_failure = false;       ///< the parent fails too, with a reason that names this job
    bool continue_parent_on_failure = false;   ///< the parent runs at once, and can cancel what is pending
    bool ignore_dependency_on_failure = false; ///< the failure is recorded and this job counts as done
    bool remove_dependency_on_failure = false; ///< this job counts as done
    friend bool operator==(const job_options&, const job_options&) = default;
};

/// A job to add.
struct new_job {
    new_job() {}
    new_job(std::string n, std::string d, job_options o = job_options{})
        : name{std::move(n)}, data{std::move(d)}, options{std::move(o)} {}
    std::string name;
    std::string data = "{}"; ///< JSON text, stored as it is
    job_options options;
};

} // namespace tiktrend::queue
