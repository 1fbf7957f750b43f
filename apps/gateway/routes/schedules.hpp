#pragma once
#include "definitions.hpp"
#include "quota_book.hpp"

#include <tiktrend/http/router.hpp>
#include <tiktrend/queue/queue.hpp>

namespace tiktrend::gateway {

// Scrapes that repeat: BullMQ's job schedulers on the queue. A schedule belongs to its maker: its scheduler
// is called
// "<user id>.<schedule id>", so that people cannot disturb each other. Administrators reach another user's
// with user_id=.

/// PUT /scraping/schedules/{id} {source, filters?, every | cron, tz?, limit?, priority?, attempts?,
/// backoff?}: 201, or 200 when it replaces one; 409 `too_many_schedules` beyond 100 a user, `schedule_busy`
/// while its next job starts, `schedules_exceed_quota` if the user's schedules together would make more jobs
/// on a day than the quota of scrapes (administrators may). What schedules start is not counted as used.
http::handler put_schedule(queue::queue& jobs, const definition_shelf& definitions,
                           queue::job_options defaults, quota_book& quotas);
/// GET /scraping/schedules: the caller's by their next time; all, also those of other programs, for
/// administrators.
http::handler list_schedules(queue::queue& jobs);
/// GET /scraping/schedules/{id}: 404 `schedule_not_found`.
http::handler get_schedule(queue::queue& jobs);
/// DELETE /scraping/schedules/{id}: 204, 404 `schedule_not_found`. A job that was made already runs.
http::handler delete_schedule(queue::queue& jobs);

} // namespace tiktrend::gateway
