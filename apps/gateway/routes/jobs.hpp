#pragma once
#include "cursor.hpp"
#include "job_events.hpp"
#include "middleware/authenticate.hpp"

#include <tiktrend/base/log.hpp>
#include <tiktrend/http/router.hpp>
#include <tiktrend/postgres/router.hpp>
#include <tiktrend/queue/queue.hpp>

#include <chrono>

namespace tiktrend::gateway {

/// GET /scraping/jobs/{id}: the job, its state and its newest log rows, 404 `job_not_found` if there is none.
/// A completed one comes with an X-Consistency-Token, with which reads see what it wrote.
http::handler get_job(queue::queue& jobs, postgres::router& database, const cursor_signer& signer,
                      logger log);

struct job_stream_options {
    /// Quiet time after which the job is looked at again, since the event of its end may be lost (a Redis
    /// that failed over); a comment then tells intermediaries that the stream lives.
    std::chrono::milliseconds look_again{15'000};
    std::size_t max_replayed = 1000;  ///< events of the job after a Last-Event-ID
    std::size_t max_looked_at = 2000; ///< entries of the queue's stream in which they are looked for
};

/// GET /scraping/jobs/{id}/events: server-sent events of one job until it is completed or failed.
///
/// Event names are the queue's ("active", "progress", "delayed", "completed", "failed" …), ids are the ids of
/// its event stream, so that a client that reconnects with Last-Event-ID gets what it missed. A stream
/// without Last-Event-ID starts with `state`: the whole job as GET answers it. `state` also comes after a
/// Last-Event-ID that is too old to tell everything (job_stream_options, or the stream keeps it no more) and
/// when events were lost, so every stream ends with its job, and at the latest with the caller's credential.
http::handler get_job_events(queue::queue& jobs, redis::client& redis, job_events& hub,
                             const authenticator& access, job_stream_options options = job_stream_options{});

} // namespace tiktrend::gateway
