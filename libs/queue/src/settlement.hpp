#pragma once
#include "stored_options.hpp"

#include <tiktrend/queue/backoff_strategy.hpp>

#include <string>

namespace tiktrend {
class random_source;
}

namespace tiktrend::queue {

/// How the run of a job ends: what finish_and_fetch is told about it.
struct settlement {
    enum class kind {
        completed,
        failed,           ///< for good
        delayed,          ///< another attempt, or the job's own wish, later
        wait,             ///< another attempt now
        release,          ///< given back, no attempt spent
        waiting_children, ///< has left already; nothing is sent
    };
    kind what = kind::completed;
    std::string value;          ///< JSON, or the reason
    std::string stack;          ///< JSON array; empty: neither reason nor stack is stored
    keep_policy keep;           ///< completed and failed
    std::int64_t argument = 0;  ///< failed: attempts allowed; delayed: ms from now
    bool spends_attempt = true; ///< delayed
    bool lifo = false;          ///< wait
    bool pauses = false;        ///< release: fetch nothing while the queue's rate limit lasts
    std::string
        telemetry_metadata; ///< failed, and another attempt: trace context of the failure, stored as `tm`
};

std::string_view to_string(settlement::kind k) noexcept;

/// What decides besides the job itself.
struct settlement_rules {
    keep_policy remove_on_complete, remove_on_fail; ///< for jobs that do not say
    std::int32_t max_started_attempts = 0;          ///< 0: no limit
    std::int64_t now_ms = 0;
    bool is_giving_back = false;        ///< the worker asked the job to stop because it ends itself
    std::string_view cancelled_because; ///< the job was cancelled by id
    const backoff_strategy* custom_backoff = nullptr;
    random_source* random = nullptr;
};

/// The processor returned `value` (JSON; empty stands for null).
settlement settle_value(std::string value, const stored_options& options, const settlement_rules& rules);

/// The processor threw `error`.
settlement settle_error(const job_record& job, const stored_options& options, std::exception_ptr error,
                        const settlement_rules& rules);

/// An attempt failed: tried again if the job has attempts left, failed for good otherwise. `error` is null if
/// nothing was thrown.
settlement settle_failed_attempt(const job_record& job, const stored_options& options, std::string reason,
                                 const settlement_rules& rules, const std::exception_ptr& error = nullptr);

/// Failed for good, whatever attempts are left.
settlement settle_failure(const job_record& job, const stored_options& options, std::string reason,
                          const settlement_rules& rules);

} // namespace tiktrend::queue
