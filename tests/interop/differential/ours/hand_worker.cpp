#include "hand_worker.hpp"

#include "record.hpp"
#include "scheduler_step.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

namespace tiktrend::interop {
namespace {

std::string number(const std::optional<std::int64_t>& n) {
    return n ? std::to_string(*n) : std::string{};
}

json::value parsed(const std::string& text, json::value fallback) {
    return text.empty() ? std::move(fallback) : json::parse(text);
}

} // namespace

json::object describe_job(const queue::job_record& j) {
    return {{"id", j.id},
            {"name", j.name},
            {"data", parsed(j.data, json::object{})},
            {"priority", j.priority},
            {"delay", j.delay_ms},
            {"timestamp", j.timestamp_ms},
            {"atm", j.attempts_made},
            {"ats", j.attempts_started},
            {"stc", j.stalled_counter},
            {"defa", j.deferred_failure},
            {"progress", parsed(j.progress, 0)},
            {"parentKey", j.parent_key},
            {"rjk", j.scheduler_id},
            {"deid", j.deduplication_id}};
}

hand_worker::hand_worker(redis::client& client, const queue::queue_keys& keys, queue::worker_options options)
    : client_{client}, keys_{keys}, options_{std::move(options)} {}

queue::settlement_rules hand_worker::rules() const {
    queue::settlement_rules r;
    r.remove_on_complete = options_.remove_on_complete;
    r.remove_on_fail = options_.remove_on_fail;
    r.max_started_attempts = options_.max_started_attempts;
    r.now_ms = options_.clock->now_ms();
    r.custom_backoff = &options_.custom_backoff;
    r.random = options_.random.get();
    return r;
}

task<redis::reply> hand_worker::call(const std::string& token, bool wants_next, const held_job* job,
                                     const queue::settlement* end, const std::string& owner) {
    std::vector<std::string> words{std::to_string(options_.clock->now_ms()),
                                   token,
                                   std::to_string(options_.lock_duration.count()),
                                   wants_next ? "1" : "0",
                                   options_.name,
                                   std::to_string(options_.limiter_max),
                                   std::to_string(options_.limiter_duration.count()),
                                   std::to_string(options_.metrics_max_data_points)};
    if (end) {
        const bool is_delayed = end->what == queue::settlement::kind::delayed;
        std::string flag = is_delayed ? (end->spends_attempt ? "" : "1") : (end->lifo ? "R" : "L");
        if (end->what == queue::settlement::kind::release && end->pauses) flag = "P";
        const auto age = end->keep.age ? std::optional<std::int64_t>{end->keep.age->count()} : std::nullopt;
        for (const auto& word : {std::string{to_string(end->what)}, job->record.id, owner, end->value,
                                 end->stack, number(end->keep.count), number(age), number(end->keep.limit),
                                 std::to_string(end->argument), flag})
            words.push_back(word);
    }
    co_return co_await queue::run_script(client_, queue::scripts::all().finish_and_fetch, keys_.base(),
                                         std::move(words));
}

task<json::value> hand_worker::take(redis::reply reply, std::string token) {
    const auto jobs = reply[1];
    if (jobs.size() == 0)
        co_return json::object{{"limited", reply[2].integer() > 0}, {"next", reply[3].integer()}};
    const auto fields = jobs[0];
    const auto last = fields.size() - 1;
    held_job job{queue::read_record(fields[last].text(), fields, last, reader_, json_), {}};
    job.record.attempts_started += 1; // the hash is from before the fetch
    job.options = reader_.read(job.record.opts);
    if (!job.record.scheduler_id.empty())
        co_await queue::create_next_iteration(options_, keys_, client_, job.record);
    const auto described = describe_job(job.record);
    held_.insert_or_assign(token + "/" + job.record.id, std::move(job));
    co_return described;
}

task<json::value> hand_worker::fetch(std::string token) {
    auto reply = co_await call(token, true, nullptr, nullptr, {});
    co_return co_await take(std::move(reply), std::move(token));
}

task<queue::settlement> hand_worker::outcome_of(const json::object& step, const held_job& job,
                                                const std::string& token) {
    const auto r = rules();
    if (!job.record.deferred_failure.empty())
        co_return queue::settle_failure(job.record, job.options, job.record.deferred_failure, r);
    if (options_.max_started_attempts > 0 && options_.max_started_attempts < job.record.attempts_started)
        co_return queue::settle_failure(job.record, job.options, "job started more than allowable limit", r);
    const queue::job_connection connection{client_, keys_.base(), json_, *options_.clock};
    queue::running_job running{job.record, job.options, token, connection};
    std::exception_ptr error;
    if (const auto* until = step.if_contains("delay_until")) {
        error = std::make_exception_ptr(queue::delayed_error{until->to_number<std::int64_t>(), "later"});
    } else if (step.contains("to_wait")) {
        error = std::make_exception_ptr(queue::released_error{"wait"});
    } else if (const auto* ms = step.if_contains("rate_limit")) {
        co_await running.rate_limit(std::chrono::milliseconds{ms->to_number<std::int64_t>()});
        error = std::make_exception_ptr(queue::rate_limited_error{});
    } else if (step.contains("to_waiting_children")) {
        if (co_await running.move_to_waiting_children({})) {
            queue::settlement left;
            left.what = queue::settlement::kind::waiting_children;
            co_return left;
        }
    } else if (const auto* reason = step.if_contains("error")) {
        const std::string text{reason->as_string()};
        error = step.contains("unrecoverable") ? std::make_exception_ptr(queue::unrecoverable_error{text})
                                               : std::make_exception_ptr(std::runtime_error{text});
    }
    if (error) co_return queue::settle_error(job.record, job.options, error, r);
    const auto* result = step.if_contains("result");
    co_return queue::settle_value(result ? json::serialize(*result) : std::string{}, job.options, r);
}

task<json::value> hand_worker::finish(json::object step, std::string token) {
    const std::string id{step.at("id").as_string()};
    const auto found = held_.find(token + "/" + id);
    if (found == held_.end()) throw std::runtime_error("the worker does not hold job " + id);
    const auto job = found->second;
    const bool wants_next = step.contains("fetch");
    const auto outcome = co_await outcome_of(step, job, token);
    if (outcome.what == queue::settlement::kind::waiting_children) // it has left already
        co_return wants_next ? co_await fetch(token) : json::value{};
    auto reply = co_await call(token, wants_next, &job, &outcome, token);
    const auto code = reply[0].size() > 0 ? reply[0][1].integer() : 0;
    json::value next = json::object{{"limited", false}};
    if (wants_next) next = co_await take(std::move(reply), token); // a refused job does not stop the fetch
    queue::throw_if_refused(code, "finish of job " + id);
    co_return next.as_object().contains("limited") ? json::value{} : std::move(next);
}

task<void> hand_worker::stalled_check() {
    const auto now = std::to_string(options_.clock->now_ms());
    co_await queue::run_script(
        client_, queue::scripts::all().stalled_check, keys_.base(),
        {now, std::to_string(options_.stalled_interval.count()), std::to_string(options_.max_stalled_count)});
}

task<json::value> hand_worker::renew(std::vector<std::string> ids, std::string token) {
    std::vector<std::string> words{std::to_string(options_.lock_duration.count())};
    for (const auto& id : ids) {
        words.push_back(id);
        words.push_back(token);
    }
    const auto lost = co_await queue::run_script(client_, queue::scripts::all().renew_locks, keys_.base(),
                                                 std::move(words));
    json::array out;
    for (std::size_t i = 0; i < lost.size(); ++i)
        out.emplace_back(ids.at(static_cast<std::size_t>(lost[i].integer()) - 1));
    co_return out;
}

} // namespace tiktrend::interop
