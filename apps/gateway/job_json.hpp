#pragma once
#include <tiktrend/queue/job.hpp>

#include <cstdint>
#include <string>

namespace tiktrend::gateway {

/// RFC 3339 in UTC with milliseconds: 2026-11-23T12:00:00.000Z.
std::string rfc3339(std::int64_t unix_ms);

/// The job as the API shows it (docs/http-api.md, "Job").
std::string job_to_json(const queue::job_record& job, queue::job_state state);

/// "completed", "failed": no further change without somebody's doing.
bool is_final(queue::job_state state) noexcept;

} // namespace tiktrend::gateway
