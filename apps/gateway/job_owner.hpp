#pragma once
#include "middleware/principal.hpp"

#include <tiktrend/base/asio.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/queue/queue.hpp>

#include <utility>

namespace tiktrend::gateway {

/// A job's data names its owner ("owner": the principal's id). Jobs without one, as other producers add them,
/// are seen by administrators only.
bool may_see_job(const principal& who, const queue::job_record& job);

/// The job that the path parameter `id` names, if the caller may see it: other people's jobs are not there
/// (404 `job_not_found`).
task<std::pair<queue::job_record, queue::job_state>> visible_job(queue::queue& jobs, const http::request& r);

} // namespace tiktrend::gateway
