#pragma once
#include "json_writer.hpp"

#include <tiktrend/queue/queue.hpp>

#include <cstdint>
#include <string>

namespace tiktrend::gateway {

/// The job as the API shows it (docs/http-api.md, "Job").
std::string job_to_json(const queue::job_record& job, queue::job_state state);
/// The same with `stacktrace`, `logs` (the newest rows) and `log_rows` (how many there are).
std::string job_to_json(const queue::job_record& job, queue::job_state state, const queue::job_logs& logs);

/// "completed", "failed": no further change without somebody's doing.
bool is_final(queue::job_state state) noexcept;

} // namespace tiktrend::gateway
