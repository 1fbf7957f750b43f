#pragma once
#include "middleware/principal.hpp"

#include <tiktrend/queue/job.hpp>

namespace tiktrend::gateway {

/// A job's data names its owner ("owner": the principal's id). Jobs without one, as other producers add them,
/// are seen by administrators only.
bool may_see_job(const principal& who, const queue::job_record& job);

} // namespace tiktrend::gateway
