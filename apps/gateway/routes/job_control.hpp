#pragma once
#include "outbox/job_intake.hpp"
#include "quota_book.hpp"

#include <tiktrend/http/router.hpp>
#include <tiktrend/queue/queue.hpp>

namespace tiktrend::gateway {

/// POST /scraping/jobs/{id}/retry: a failed job waits again, with all its attempts; it counts as a scrape of
/// the day. 202 with the job's address; 409 `job_not_failed` in any other state.
http::handler retry_job(queue::queue& jobs, quota_book& quotas);

/// DELETE /scraping/jobs/{id}: 204 when it waited and was removed; 200 with the failed job when it ran and
/// was stopped; 202 with the job when its worker did not end it within two seconds (asking again is fine);
/// 409 `job_finished`, `job_of_schedule`.
http::handler cancel_job(queue::queue& jobs, job_intake& intake);

} // namespace tiktrend::gateway
