#pragma once
#include "job_events.hpp"

#include <tiktrend/base/log.hpp>
#include <tiktrend/http/router.hpp>
#include <tiktrend/postgres/router.hpp>
#include <tiktrend/queue/queue.hpp>

namespace tiktrend::gateway {

/// GET /scraping/jobs/{id}: the job, its state and its newest log rows, 404 `job_not_found` if there is none. A
/// completed one comes with an X-Consistency-Token, with which reads see what it wrote.
http::handler get_job(queue::queue& jobs, postgres::router& database, logger log);

/// GET /scraping/jobs/{id}/events: server-sent events of one job until it is completed or failed.
///
/// Event names are the queue's ("active", "progress", "delayed", "completed", "failed" …), ids are the ids of
/// its event stream, so that a client that reconnects with Last-Event-ID gets what it missed as long as the
/// stream keeps it. A stream without Last-Event-ID starts with `state`: the whole job as GET answers it.
http::handler get_job_events(queue::queue& jobs, redis::client& redis, job_events& hub);

} // namespace tiktrend::gateway
