#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiktrend::queue {

enum class job_state { waiting, active, completed, failed, delayed, prioritized, waiting_children, unknown };
std::string_view to_string(job_state s) noexcept; ///< BullMQ's names: "waiting-children" …

/// A job as it is stored (layout 1.4). Missing fields have their defaults; unknown ones are kept in `other`.
struct job_record {
    std::string id;
    std::string name;
    std::string data = "{}"; ///< JSON text
    std::string opts = "{}"; ///< JSON text with BullMQ's short keys
    std::int64_t timestamp_ms = 0;
    std::int64_t delay_ms = 0;
    std::int32_t priority = 0;
    std::int32_t attempts = 0;         ///< allowed, from opts
    std::int32_t attempts_made = 0;    ///< atm
    std::int32_t attempts_started = 0; ///< ats
    std::int32_t stalled_counter = 0;  ///< stc
    std::optional<std::int64_t> processed_on_ms;
    std::optional<std::int64_t> finished_on_ms;
    std::string processed_by; ///< pb
    std::string progress;     ///< JSON text; empty: none
    std::string return_value; ///< JSON text; empty: none
    std::string failed_reason;
    std::vector<std::string> stacktrace;
    std::string deferred_failure; ///< defa
    std::string parent_key;
    std::string parent;             ///< JSON text
    std::string scheduler_id;       ///< rjk
    std::string deduplication_id;   ///< deid
    std::string telemetry_metadata; ///< tm of opts: the producer's trace context, as its text; the parent of
                                    ///< the job's span
    std::vector<std::pair<std::string, std::string>> other;
};

} // namespace tiktrend::queue
