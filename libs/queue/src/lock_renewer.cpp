#include "lock_renewer.hpp"

#include "script_call.hpp"
#include "scripts.hpp"

#include <tiktrend/base/timeout.hpp>

#include <algorithm>

namespace tiktrend::queue {

lock_renewer::lock_renewer(const worker_options& options, const queue_keys& keys, job_connection& connection,
                           running_jobs& jobs)
    : options_{options}, keys_{keys}, connection_{connection}, jobs_{jobs} {}

task<void> lock_renewer::run() {
    bool is_renewed = true;
    for (;;) {
        // After a failure soon again: the locks run out meanwhile.
        const auto pause = is_renewed ? options_.lock_duration / 2 : options_.lock_duration / 20;
        co_await sleep_for(std::max(pause, std::chrono::milliseconds{10}));
        is_renewed = co_await renew();
    }
}

task<bool> lock_renewer::renew() {
    constexpr std::size_t per_call = 1000;
    std::vector<std::pair<std::string, std::string>> held; // id and token: a job may end while Redis answers
    jobs_.for_each([&](running_job& job) {
        // Also one that is about to wait for its children: it stays if there is nothing to wait for.
        if (job.cause() != running_job::stop_cause::lock_lost) held.emplace_back(job.id(), job.token());
    });
    const auto duration = std::to_string(options_.lock_duration.count());
    for (std::size_t from = 0; from < held.size(); from += per_call) {
        const auto to = std::min(from + per_call, held.size());
        std::vector<std::string_view> words{duration};
        for (std::size_t i = from; i < to; ++i)
            words.insert(words.end(), {held[i].first, held[i].second});
        redis::reply lost;
        try {
            lost = co_await run_script_views(connection_.client, scripts::all().renew_locks, keys_.base(),
                                             words);
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            options_.log.warn("lock_renewal_failed",
                              {{"queue", keys_.base()}, {"error", e.what()}, {"jobs", held.size()}});
            co_return false;
        } catch (const std::runtime_error& e) {
            options_.log.error("lock_renewal_failed",
                               {{"queue", keys_.base()}, {"error", e.what()}, {"jobs", held.size()}});
            co_return false;
        }
        for (std::size_t n = 0; n < lost.size(); ++n) {
            const auto& [id, token] = held[from + static_cast<std::size_t>(lost[n].integer()) - 1];
            jobs_.for_each([&](running_job& job) {
                if (job.id() != id || job.token() != token || !job.is_open() || job.has_left()) return;
                options_.log.warn("job_lock_lost", {{"queue", keys_.base()}, {"job_id", id}});
                job.ask_to_stop(running_job::stop_cause::lock_lost, "the job's lock was lost");
            });
        }
    }
    co_return true;
}

} // namespace tiktrend::queue
