#include "scheduler_step.hpp"

#include "iteration.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

#include <tiktrend/base/timeout.hpp>

namespace tiktrend::queue {

task<void> create_next_iteration(const worker_options& options, const queue_keys& keys, redis::client& client,
                                 const job_record& job) {
    next_iteration next;
    const auto now = options.clock->now_ms();
    const auto verdict = plan_next_iteration(job, now, next);
    if (verdict == iteration_verdict::ended) co_return;
    if (verdict != iteration_verdict::create) {
        options.log.error("scheduler_not_continued", {{"queue", keys.base()},
                                                      {"job_id", job.id},
                                                      {"scheduler", job.scheduler_id},
                                                      {"error", next.why}});
        co_return;
    }
    const auto now_text = std::to_string(now), every = std::to_string(next.every_ms),
               cron = std::to_string(next.cron_ms), priority = std::to_string(next.priority),
               offset = std::to_string(next.offset_ms);
    const std::string_view words[]{now_text,  job.id,   job.scheduler_id,      every, cron,
                                   next.opts, priority, next.lifo ? "R" : "L", offset};
    for (;;) {
        try {
            co_await run_script_views(client, scripts::all().next_iteration, keys.base(), words);
            co_return;
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            options.log.warn("scheduler_waits_for_redis", {{"queue", keys.base()}, {"error", e.what()}});
        }
        co_await sleep_for(std::chrono::seconds{1});
    }
}

} // namespace tiktrend::queue
