#pragma once
#include <tiktrend/queue/queue.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tiktrend::queue {

/// When a scheduler makes a job (BullMQ's RepeatOptions; layout 4.13). Either `every` or `pattern`.
struct repeat_options {
    repeat_options() {}
    /// At least 1 ms. The first job is due at once unless start_ms or offset says otherwise.
    std::optional<std::chrono::milliseconds> every;
    std::string pattern; ///< cron.hpp
    std::string tz;      ///< of the pattern: IANA name; empty: UTC (BullMQ: the zone of its process)
    std::optional<std::int64_t> limit;    ///< jobs in all, counted anew by each upsert; at least 1
    std::optional<std::int64_t> start_ms; ///< startDate: not before, ms since the epoch
    std::optional<std::int64_t> end_ms;   ///< endDate: not after
    /// Of `every`: inside the interval, counted from the epoch.
    std::optional<std::chrono::milliseconds> offset;
    bool immediately = false; ///< of a pattern: the first job is due at once; not with start_ms
};

/// What the jobs of a scheduler are.
struct job_template {
    job_template() {}
    job_template(std::string n, std::string d = "{}", job_options o = job_options{})
        : name{std::move(n)}, data{std::move(d)}, options{std::move(o)} {}
    std::string name;        ///< empty: the scheduler's id
    std::string data = "{}"; ///< JSON text
    /// Without id, delay, timestamp, parent and deduplication: the scheduler's own business.
    job_options options;
};

/// A scheduler as it is stored (layout 1.7).
struct scheduler_record {
    std::string id;
    std::int64_t next_ms = 0; ///< when the pending job is due
    std::string name;
    std::optional<std::int64_t> every_ms, limit, start_ms, end_ms, offset_ms;
    std::string pattern, tz;
    std::string data = "{}";          ///< JSON text of the template
    std::string opts = "{}";          ///< JSON text of the template, with BullMQ's short keys
    std::int64_t iteration_count = 0; ///< jobs made so far
    /// A repeatable of version 5 or older, not a scheduler: continued, but better replaced.
    bool is_legacy = false;
};

/// The job schedulers of one queue, with its clock and its default job options. A light view: the queue must
/// outlive every call. A scheduler has one pending job; whoever fetches that one, of any BullMQ client, makes
/// the next. Calls throw system_error with redis::errc when Redis is unavailable, and with queue::errc and a
/// text that names the value and the rule for refused input, before Redis is touched.
class job_schedulers {
public:
    explicit job_schedulers(queue& q) noexcept : queue_{&q} {}

    /// The job that is due next.
    struct pending_job {
        std::string id;
        std::chrono::milliseconds delay{0};
    };
    /// Creates the scheduler, or replaces the rule and the template of an existing one (its pending job too).
    /// Empty: by this rule nothing is ever due, and nothing was changed. scheduler_job_exists,
    /// scheduler_slots_busy: the next job is there and runs or has finished.
    task<std::optional<pending_job>> upsert(std::string id, repeat_options repeat, job_template jobs = {});

    task<std::optional<scheduler_record>> get(std::string id);
    /// By their next time; `start` and `end` (included) count from 0, or from the end if negative.
    task<std::vector<scheduler_record>> list(std::int64_t start = 0, std::int64_t end = -1,
                                             bool ascending = false);
    task<std::int64_t> count();
    /// Its pending job goes too if it is still delayed. False if there is none.
    task<bool> remove(std::string id);

private:
    queue* queue_;
};

} // namespace tiktrend::queue
