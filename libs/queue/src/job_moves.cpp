// job_operations: moves of an active job by whoever holds its lock.
#include "backoff.hpp"
#include "queue_call.hpp"
#include "record.hpp"
#include "settlement.hpp"

#include <tiktrend/base/random.hpp>
#include <tiktrend/queue/job_operations.hpp>

namespace tiktrend::queue {
namespace {

/// Ends one job by the worker's own script, without fetching another. Words: lua/finish_and_fetch.lua.
task<void> settle_on(const queue& q, const std::string& id, const lock_token& token, const settlement& s,
                     std::string what) {
    const auto optional = [](const auto& n) { return n ? std::to_string(*n) : std::string{}; };
    const bool is_delayed = s.what == settlement::kind::delayed;
    const auto reply = co_await run_script_on(
        q, scripts::all().finish_and_fetch,
        {std::to_string(q.options().clock->now_ms()), "", "0", "0", "", "0", "0", "0",
         std::string{to_string(s.what)}, id, token.text(), s.value, s.stack, optional(s.keep.count),
         s.keep.age ? std::to_string(s.keep.age->count()) : "", optional(s.keep.limit),
         std::to_string(s.argument), is_delayed ? (s.spends_attempt ? "" : "1") : (s.lifo ? "R" : "L")});
    const auto refused = reply[0];
    if (refused.size() > 1) throw_if_refused(refused[1].integer(), what);
    if (reply.size() > 4)
        throw std::runtime_error(what + ": it ended, but " + std::string{reply[4][1].text()});
}

/// The job with its options, which say how it ends.
task<std::pair<job_record, stored_options>> load(const queue& q, const std::string& id,
                                                 const std::string& what) {
    const auto reply = co_await exec_on(q, redis::command{"HGETALL", keys_of(q).job(id)});
    if (reply.size() == 0) throw system_error(errc::job_not_found, what);
    options_reader options;
    json_checker json;
    auto record = read_record(id, reply.root(), reply.size(), options, json);
    auto read = options.read(record.opts);
    co_return std::pair{std::move(record), std::move(read)};
}

settlement_rules plain_rules(const queue& q, random_source& random) {
    settlement_rules rules;
    rules.now_ms = q.options().clock->now_ms();
    rules.random = &random;
    return rules;
}

} // namespace

task<void> job_operations::move_to_completed(std::string id, std::string value, lock_token token) {
    check_job_id(id);
    json_checker json;
    check_json(json, "value", value);
    const auto what = "move_to_completed of job " + id;
    const auto [job, options] = co_await load(*queue_, id, what);
    default_random random;
    const auto s = settle_value(std::move(value), options, plain_rules(*queue_, random));
    co_await settle_on(*queue_, id, token, s, what);
}

task<failure_outcome> job_operations::move_to_failed(std::string id, std::string reason, lock_token token,
                                                     bool is_final, backoff_strategy custom) {
    check_job_id(id);
    const auto what = "move_to_failed of job " + id;
    const auto [job, options] = co_await load(*queue_, id, what);
    default_random random;
    auto rules = plain_rules(*queue_, random);
    rules.custom_backoff = &custom;
    const auto s = is_final ? settle_failure(job, options, std::move(reason), rules)
                            : settle_failed_attempt(job, options, std::move(reason), rules);
    co_await settle_on(*queue_, id, token, s, what);
    switch (s.what) {
    case settlement::kind::delayed:
        co_return failure_outcome::delayed;
    case settlement::kind::wait:
        co_return failure_outcome::waiting;
    default:
        co_return failure_outcome::failed;
    }
}

task<void> job_operations::move_to_delayed(std::string id, std::int64_t until_ms, lock_token token) {
    check_job_id(id);
    const auto delay = until_ms - queue_->options().clock->now_ms();
    check_number("until", until_ms, 0, queue_->options().clock->now_ms() + max_delay.count());
    settlement s;
    s.what = settlement::kind::delayed;
    s.argument = std::max<std::int64_t>(delay, 0);
    s.spends_attempt = false;
    co_await settle_on(*queue_, id, token, s, "move_to_delayed of job " + id);
}

task<void> job_operations::move_to_wait(std::string id, lock_token token) {
    check_job_id(id);
    settlement s;
    s.what = settlement::kind::release;
    co_await settle_on(*queue_, id, token, s, "move_to_wait of job " + id);
}

task<bool> job_operations::move_to_waiting_children(std::string id, lock_token token, std::string child) {
    check_job_id(id);
    co_return co_await run_code_on(
        *queue_, scripts::all().move_to_waiting_children,
        {std::to_string(queue_->options().clock->now_ms()), id, token.text(), std::move(child)},
        "move_to_waiting_children of job " + id) == 0;
}

task<void> job_operations::extend_lock(std::string id, lock_token token, std::chrono::milliseconds duration) {
    check_job_id(id);
    check_number("duration", duration.count(), 1, max_delay.count());
    const auto lost = co_await run_script_on(*queue_, scripts::all().renew_locks,
                                             {std::to_string(duration.count()), id, token.text()});
    if (lost.size() == 0) co_return;
    const auto owner = co_await exec_on(*queue_, redis::command{"GET", keys_of(*queue_).job(id) + ":lock"});
    throw system_error(owner.is_nil() ? errc::lock_not_found : errc::lock_mismatch,
                       "extend_lock of job " + id);
}

} // namespace tiktrend::queue
