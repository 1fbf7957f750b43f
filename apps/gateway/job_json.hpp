#pragma once
#include "json_writer.hpp"

#include <tiktrend/queue/job.hpp>

#include <cstdint>
#include <string>

namespace tiktrend::gateway {

/// The job as the API shows it (docs/http-api.md, "Job").
std::string job_to_json(const queue::job_record& job, queue::job_state state);

/// "completed", "failed": no further change without somebody's doing.
bool is_final(queue::job_state state) noexcept;

} // namespace tiktrend::gateway
