#pragma once
#include <tiktrend/base/error.hpp>

#include <stdexcept>
#include <string>

namespace tiktrend::queue {

/// Outcomes of queue operations. The first eleven numbers are BullMQ's script codes negated (layout 4.18),
/// for familiarity; 12 is a code of our scripts alone.
enum class errc {
    job_not_found = 1,             ///< -1: no hash for this id
    lock_not_found = 2,            ///< -2: the lock expired or was released; the job may run elsewhere
    job_not_in_state = 3,          ///< -3: e.g. not active any more
    pending_dependencies = 4,      ///< -4
    parent_not_found = 5,          ///< -5
    lock_mismatch = 6,             ///< -6: somebody else holds the lock now
    parent_cannot_be_replaced = 7, ///< -7
    belongs_to_scheduler = 8,      ///< -8
    failed_children = 9,           ///< -9
    scheduler_job_exists = 10,     ///< -10: a cron scheduler's next job exists and has run or runs
    scheduler_slots_busy = 11,     ///< -11: 32 slots of an interval have jobs already
    group_is_full = 12,            ///< -12: the job's group has as many waiting jobs as its max_size
    invalid_job_id = 100,          ///< a custom id that BullMQ or our rules refuse (layout 2.5)
    invalid_priority,              ///< not in 0 … 2097151
    invalid_options,               ///< another option out of range; the message of the exception says which
    data_too_large,                ///< over size_limit
    invalid_json,                  ///< data, return value or progress is not JSON text
    invalid_argument,              ///< another argument is out of range
    queue_is_active,               ///< obliterate without force while jobs run
    invalid_flow,                  ///< a tree of jobs that cannot be; the message says where and why
    invalid_scheduler,             ///< a scheduler's rule, time zone or template; the message says which
    invalid_event,                 ///< a custom event that followers could not read
};

const boost::system::error_category& category() noexcept;
error_code make_error_code(errc value) noexcept;

/// An argument that is refused before Redis is touched: which, its value, and the rule that it breaks.
class input_error : public system_error {
public:
    /// what() is "<field> = <value>: expected <rule>: <the code's message>".
    input_error(error_code code, std::string field, std::string value, std::string rule)
        : system_error{code, field + " = " + value + ": expected " + rule}, field_{std::move(field)},
          value_{std::move(value)}, rule_{std::move(rule)} {}
    const std::string& field() const noexcept { return field_; }
    const std::string& value() const noexcept { return value_; }
    const std::string& rule() const noexcept { return rule_; }

private:
    std::string field_, value_, rule_;
};

/// Thrown by a processor: fail now, whatever attempts are left (BullMQ's UnrecoverableError).
class unrecoverable_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Thrown by a processor: the job waits until then, no attempt is spent (DelayedError; nothing has to be
/// moved before).
class delayed_error : public std::runtime_error {
public:
    delayed_error(std::int64_t until_ms, std::string why)
        : std::runtime_error{std::move(why)}, until_ms_{until_ms} {}
    std::int64_t until_ms() const noexcept { return until_ms_; }

private:
    std::int64_t until_ms_;
};

/// Thrown by a processor that gives its job back, as one does that was asked to stop: the job goes to the
/// front of its state, no attempt and no stall counted (WaitingError; moveJobFromActiveToWait, layout 4.8).
class released_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Thrown by a processor after active_job::move_to_waiting_children() said true (WaitingChildrenError).
class waiting_children_error : public std::runtime_error {
public:
    waiting_children_error() : std::runtime_error{"bullmq:movedToWaitingChildren"} {}
};

/// Thrown by a processor after rate_limit() or rate_limit_group(): the job goes back to the front of its
/// place, no attempt is spent, and this worker rests while the queue's limit lasts (RateLimitError).
class rate_limited_error : public std::runtime_error {
public:
    rate_limited_error() : std::runtime_error{"bullmq:rateLimitExceeded"} {}
};

} // namespace tiktrend::queue

namespace boost::system {
template <>
struct is_error_code_enum<tiktrend::queue::errc> : std::true_type {};
} // namespace boost::system
