#include "routes/job_control.hpp"

#include "job_json.hpp"
#include "job_owner.hpp"
#include "private_json.hpp"
#include "scrape_order.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/queue/cancellation.hpp>
#include <tiktrend/queue/job_operations.hpp>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// How long a worker has for ending a job; it promises a second.
constexpr auto patience = 2s;
constexpr auto look_again_after = 50ms;
/// How long the wish outlives its request: until the stalled check has found the job of a worker that was
/// lost, and another has room for it.
constexpr auto wish_life = 1h;

http::problem not_failed(queue::job_state s) {
    return {409, "job_not_failed",
            "Only a failed job can be tried again; this one is " + std::string{queue::to_string(s)} + '.'};
}

http::response job_answer(int status, const queue::job_record& job, queue::job_state state) {
    return private_json(status, job_to_json(job, state));
}

task<void> retry_failed(queue::queue& jobs, std::string id) {
    co_await queue::forget_cancellation(jobs, id);
    queue::retry_options options;
    options.reset_attempts_made = true; // attempts_started goes on: the ledger of scrapes counts by it
    co_await queue::job_operations{jobs}.retry(std::move(id), options);
}

task<http::response> retry(queue::queue& jobs, quota_book& quotas, http::request& r) {
    const auto [job, state] = co_await visible_job(jobs, r);
    if (state != queue::job_state::failed) throw not_failed(state);
    const auto charge = co_await quotas.take(principal_of(r), catalog::usage_kind::scrapes);
    bool has_moved = false;
    try {
        co_await retry_failed(jobs, job.id);
    } catch (const system_error& e) {
        give_back_unless_done(quotas, charge, e.code());
        if (e.code() != queue::errc::job_not_in_state && e.code() != queue::errc::job_not_found) throw;
        has_moved = true;
    }
    if (has_moved)
        throw http::problem(409, "job_not_failed",
                            "Somebody else has retried or removed this job meanwhile.");
    const auto url = "/scraping/jobs/" + job.id;
    json_object_writer w;
    w.text("job_id", job.id);
    w.text("status_url", url);
    auto response = private_json(202, w.take());
    response.headers.set("Location", url);
    co_return response;
}

enum class removal { done, is_running, of_schedule };

task<removal> remove(queue::queue& jobs, const std::string& id) {
    try {
        co_return co_await queue::job_operations{jobs}.remove(id) ? removal::done : removal::is_running;
    } catch (const system_error& e) {
        if (e.code() == queue::errc::job_not_found) co_return removal::done;
        if (e.code() != queue::errc::belongs_to_scheduler) throw;
    }
    co_return removal::of_schedule;
}

http::problem finished(queue::job_state s) {
    return {409, "job_finished",
            "The job has ended already; it is " + std::string{queue::to_string(s)} + '.'};
}

/// A job may start, end or be given back between two looks, so each round decides anew.
task<http::response> cancel(queue::queue& jobs, job_intake& intake, http::request& r) {
    auto [job, state] = co_await visible_job(jobs, r);
    if (is_final(state)) throw finished(state);
    co_await intake.forget(
        std::vector<std::string>(1, job.id)); // or it would come back if Redis lost its data
    const auto reason = "cancelled by " + principal_of(r).id;
    const auto deadline = clock::now() + patience;
    bool is_kept = false;
    for (auto ask_at = clock::now();;) {
        const auto removed = co_await remove(jobs, job.id);
        if (removed == removal::done) {
            co_await queue::forget_cancellation(jobs, job.id);
            co_return http::response::empty(204);
        }
        if (removed == removal::of_schedule)
            throw http::problem(409, "job_of_schedule",
                                "This is the next job of a schedule; change or delete the schedule.");
        const auto now = clock::now();
        if (now >= deadline) co_return job_answer(202, job, state);
        if (!std::exchange(is_kept, true)) co_await queue::keep_cancellation(jobs, job.id, reason, wish_life);
        if (now >= ask_at) { // again each half second: a worker that reconnects hears nothing meanwhile
            co_await queue::request_cancellation(jobs, job.id, reason);
            ask_at = now + 500ms;
        }
        co_await sleep_for(look_again_after);
        auto found = co_await jobs.get_job_and_state(job.id);
        if (found) std::tie(job, state) = std::move(*found);
        if (found && !is_final(state)) continue;
        co_await queue::forget_cancellation(jobs, job.id);
        co_return found ? job_answer(200, job, state) : http::response::empty(204);
    }
}

} // namespace

http::handler retry_job(queue::queue& jobs, quota_book& quotas) {
    return [&jobs, &quotas](http::request& r) { return retry(jobs, quotas, r); };
}

http::handler cancel_job(queue::queue& jobs, job_intake& intake) {
    return [&jobs, &intake](http::request& r) { return cancel(jobs, intake, r); };
}

} // namespace tiktrend::gateway
