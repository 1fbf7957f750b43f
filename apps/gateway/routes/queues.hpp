#pragma once
#include "outbox/job_intake.hpp"

#include <tiktrend/http/router.hpp>
#include <tiktrend/queue/queue.hpp>

namespace tiktrend::gateway {

/// GET /queues: each queue with its counts and depth.
http::handler list_queues(queue::queue& jobs);
/// GET /queues/{name}: the same of one with its workers (their addresses for administrators); 404
/// `queue_not_found`.
http::handler get_queue(queue::queue& jobs);

/// POST /queues/{name}/pause and /resume: the queue as get_queue() answers it without workers.
http::handler pause_queue(queue::queue& jobs);
http::handler resume_queue(queue::queue& jobs);
/// POST /queues/{name}/clean {state?, grace?, limit?}: removes finished, waiting or delayed jobs: {"removed":
/// n}; also from an outbox.
http::handler clean_queue(queue::queue& jobs, job_intake& intake);
/// POST /queues/{name}/retry-failed: {"moved": n}. POST /queues/{name}/promote: delayed jobs wait no longer:
/// {"moved": n}.
http::handler retry_failed_jobs(queue::queue& jobs);
http::handler promote_delayed_jobs(queue::queue& jobs);

/// GET /autoscaling/queue-depth?queue=: the depth that scalers go by (ops: waiting work that is due, and
/// active). 503, and never 0, when it is not known.
http::handler autoscaling_depth(queue::queue& jobs);

} // namespace tiktrend::gateway
