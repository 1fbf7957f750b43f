// What a conveyor does about a call whose reply was lost.
#include "call_words.hpp"
#include "conveyor.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

namespace tiktrend::queue {
namespace {

bool is_removed_at_once(const settlement& s) noexcept {
    return s.keep.count == 0;
}

} // namespace

/// Whether the lost call ran is written in Redis: see recover.lua. What was found out already is no longer in
/// `c`.
task<bool> conveyor::try_recover(call& c) {
    std::size_t sent_again = 0, taken = 0;
    const auto ended = c.ended.size();
    for (bool has_more = true; has_more;) {
        redis::reply reply;
        try {
            reply = co_await ask_what_became_of(c);
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            options_.log.debug("queue_recovery_waits", {{"queue", keys_.base()}, {"error", e.what()}});
            co_return false;
        } catch (const std::runtime_error& e) {
            options_.log.error("queue_script_failed", {{"queue", keys_.base()}, {"error", e.what()}});
            co_return false;
        }
        has_more = reply[2].integer() != 0;
        if (!has_more) answered(c);
        const auto verdicts = reply[0];
        const auto jobs = reply[1];
        settled_jobs again;
        for (std::size_t i = 0; i < c.ended.size(); ++i) {
            switch (verdicts[i].integer()) {
            case 0:
                again.push_back(c.ended[i]);
                break;
            case 1:
                report(*c.ended[i], 0);
                break;
            default:
                report(*c.ended[i], static_cast<std::int64_t>(errc::lock_not_found) * -1);
            }
        }
        c.ended.clear();
        sent_again += again.size();
        put_back(again);
        for (std::size_t i = 0; i < jobs.size(); ++i)
            take(jobs[i], c, true);
        taken += jobs.size();
    }
    options_.log.info(
        "queue_call_recovered",
        {{"queue", keys_.base()}, {"ended_jobs", ended}, {"sent_again", sent_again}, {"taken_jobs", taken}});
    is_drained_ = false;
    idle_changed_.set();
    co_return true;
}

task<redis::reply> conveyor::ask_what_became_of(const call& c) {
    std::vector<std::string>
        known; // jobs of the call that an earlier portion brought; they may end meanwhile
    if (!c.token.empty())
        jobs_.for_each([&](const running_job& job) {
            if (job.token() == c.token) known.push_back(job.id());
        });
    word_list words{4 + known.size() + c.ended.size() * 4};
    words.add(c.token);
    words.add(options_.lock_duration.count());
    words.add(c.now_ms);
    words.add(static_cast<std::int64_t>(known.size()));
    for (const auto& id : known)
        words.add(id);
    for (const auto* job : c.ended) {
        words.add(to_string(job->outcome.what));
        words.add(job->id());
        words.add(job->token());
        words.add(is_removed_at_once(job->outcome) ? "1" : "");
    }
    co_return co_await run_script_views(connection_.client, scripts::all().recover, keys_.base(),
                                        words.words());
}

} // namespace tiktrend::queue
