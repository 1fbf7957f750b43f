#include "job_ends.hpp"
#include "keys.hpp"
#include "marker_plan.hpp"
#include "record.hpp"
#include "scheduler_step.hpp"
#include "script_call.hpp"
#include "scripts.hpp"
#include "stalled_checker.hpp"
#include "worker_check.hpp"
#include "worker_connection.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/job_fetcher.hpp>
#include <tiktrend/queue/job_operations.hpp>
#include <tiktrend/redis/blocking_connection.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::queue {
namespace {

redis::client_options connection_options(const worker_options& o, const queue_keys& keys) {
    auto c = connection_for(o);
    c.client_name = keys.worker_connection(o.name);
    return c;
}

} // namespace

struct job_fetcher::impl {
    impl(queue& q, worker_options o)
        : jobs{q}, options{checked(std::move(o))}, keys{q.options().prefix, q.name()},
          blocking{q.client().get_executor(), q.client().where(), connection_options(options, keys)},
          checker{options, keys, q.client()} {}

    /// What one fetch said: a job, or how long there is none.
    struct answer {
        std::optional<job_record> job;
        std::chrono::milliseconds limited_for{0};
        std::int64_t next_delayed_ms = 0;
    };
    task<answer> fetch(const lock_token& token);
    task<answer> fetch_runnable(const lock_token& token);
    task<void> wait_for_work(const answer& last, std::chrono::steady_clock::time_point deadline);

    queue& jobs;
    worker_options options;
    queue_keys keys;
    redis::blocking_connection blocking;
    stalled_checker checker;
    options_reader reader;
    json_checker json;
};

task<job_fetcher::impl::answer> job_fetcher::impl::fetch(const lock_token& token) {
    const auto now = options.clock->now_ms();
    const std::vector<std::string> words{std::to_string(now),
                                         token.text(),
                                         std::to_string(options.lock_duration.count()),
                                         "1",
                                         options.name,
                                         std::to_string(options.limiter_max),
                                         std::to_string(options.limiter_duration.count()),
                                         metrics_and_group_limits(options)};
    const auto reply =
        co_await run_script(jobs.client(), scripts::all().finish_and_fetch, keys.base(), words);
    answer a;
    a.limited_for = std::chrono::milliseconds{reply[2].integer()};
    a.next_delayed_ms = reply[3].integer();
    if (const auto fields = reply[1][0]; fields.size() > 0) {
        const auto last = fields.size() - 1;
        auto record = read_record(fields[last].text(), fields, last, reader, json);
        record.attempts_started += 1; // the hash is from before the fetch
        record.processed_on_ms = now;
        record.processed_by = options.name;
        a.job = std::move(record);
    }
    co_return a;
}

task<job_fetcher::impl::answer> job_fetcher::impl::fetch_runnable(const lock_token& token) {
    for (;;) {
        auto a = co_await fetch(token);
        if (!a.job) co_return a;
        if (!a.job->scheduler_id.empty()) // first: also a job that is refused has a successor
            co_await create_next_iteration(options, keys, jobs.client(), *a.job);
        if (auto reason = refusal_of(*a.job, options); !reason.empty()) {
            co_await job_operations{jobs}.move_to_failed(a.job->id, std::move(reason), token, true);
            continue;
        }
        co_return a;
    }
}

task<void> job_fetcher::impl::wait_for_work(const answer& last,
                                            std::chrono::steady_clock::time_point deadline) {
    const auto left = [deadline] {
        return std::chrono::duration_cast<std::chrono::milliseconds>(deadline -
                                                                     std::chrono::steady_clock::now());
    };
    if (last.limited_for.count() > 0) {
        co_await sleep_for(std::min({last.limited_for, options.maximum_rate_limit_delay, left()}));
        co_return;
    }
    marker_plan plan{options.drain_delay, last.next_delayed_ms};
    for (;;) {
        const auto wanted = std::min(plan.block_for(options.clock->now_ms()), left());
        if (wanted.count() <= 0) co_return;
        const auto limit = std::max(wanted, marker_plan::shortest_block);
        const redis::command c{"BZPOPMIN", keys.marker(), keys.groups_marker(),
                               fmt::format("{:.3f}", static_cast<double>(limit.count()) / 1000)};
        const auto reply = co_await blocking.exec(c, limit);
        if (reply.is_error())
            throw std::runtime_error("queue " + keys.base() + ": " + std::string{reply.text()});
        if (reply.is_nil()) co_return;
        if (plan.popped(reply[1].text(), whole_milliseconds(reply[2].text()), options.clock->now_ms()))
            co_return;
    }
}

job_fetcher::job_fetcher(queue& q, worker_options options)
    : impl_{std::make_unique<impl>(q, std::move(options))} {}
job_fetcher::~job_fetcher() = default;

task<std::optional<job_record>> job_fetcher::get_next_job(lock_token token) {
    co_return (co_await impl_->fetch_runnable(token)).job;
}

task<std::optional<job_record>> job_fetcher::get_next_job(lock_token token, std::chrono::milliseconds wait) {
    const auto deadline = std::chrono::steady_clock::now() + wait;
    for (;;) {
        auto a = co_await impl_->fetch_runnable(token);
        if (a.job || std::chrono::steady_clock::now() >= deadline) co_return std::move(a.job);
        co_await impl_->wait_for_work(a, deadline);
    }
}

task<std::vector<std::string>> job_fetcher::extend_locks(std::vector<held_job> jobs) {
    std::vector<std::string> lost;
    if (jobs.empty()) co_return lost;
    if (jobs.size() > 1000)
        throw input_error(errc::invalid_argument, "jobs", std::to_string(jobs.size()), "at most 1000");
    std::vector<std::string> words{std::to_string(impl_->options.lock_duration.count())};
    for (const auto& j : jobs) {
        words.push_back(j.id);
        words.push_back(j.token.text());
    }
    const auto reply = co_await run_script(impl_->jobs.client(), scripts::all().renew_locks,
                                           impl_->keys.base(), std::move(words));
    for (std::size_t i = 0; i < reply.size(); ++i)
        lost.push_back(jobs[static_cast<std::size_t>(reply[i].integer()) - 1].id);
    co_return lost;
}

task<void> job_fetcher::check_stalled() {
    static_cast<void>(co_await impl_->checker.check());
}

} // namespace tiktrend::queue
