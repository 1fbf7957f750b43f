#include "wire.hpp"

#include <stdexcept>

namespace tiktrend::interop {
namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view name) {
    throw std::runtime_error("the actor does not know " + std::string{what} + " " + std::string{name});
}

std::chrono::milliseconds milliseconds_of(const json::value& v) {
    return std::chrono::milliseconds{v.to_number<std::int64_t>()};
}

queue::keep_policy keep_policy_of(const json::value& v) {
    if (v.is_bool()) return v.as_bool() ? queue::keep_policy::none() : queue::keep_policy::all();
    if (v.is_number()) return queue::keep_policy::newest(v.to_number<std::int64_t>());
    queue::keep_policy policy;
    for (const auto& [name, value] : v.as_object()) {
        if (name == "count")
            policy.count = value.to_number<std::int64_t>();
        else if (name == "age")
            policy.age = std::chrono::seconds{value.to_number<std::int64_t>()};
        else if (name == "limit")
            policy.limit = value.to_number<std::int64_t>();
        else
            refuse("keep option", name);
    }
    return policy;
}

queue::backoff_options backoff_of(const json::value& v) {
    queue::backoff_options backoff;
    if (v.is_number()) {
        backoff.delay = milliseconds_of(v);
        return backoff;
    }
    for (const auto& [name, value] : v.as_object()) {
        if (name == "type")
            backoff.type = std::string{value.as_string()};
        else if (name == "delay")
            backoff.delay = milliseconds_of(value);
        else if (name == "jitter")
            backoff.jitter = value.to_number<double>();
        else
            refuse("backoff option", name);
    }
    return backoff;
}

queue::deduplication_options deduplication_of(const json::object& options) {
    queue::deduplication_options d;
    for (const auto& [name, value] : options) {
        if (name == "id")
            d.id = std::string{value.as_string()};
        else if (name == "ttl")
            d.ttl = milliseconds_of(value);
        else if (name == "extend")
            d.extend = value.as_bool();
        else if (name == "replace")
            d.replace = value.as_bool();
        else if (name == "reschedule")
            d.reschedule = value.as_bool();
        else if (name == "keepLastIfActive")
            d.keep_last_if_active = value.as_bool();
        else
            refuse("deduplication option", name);
    }
    return d;
}

void set_telemetry(queue::job_options& o, const json::object& options) {
    if (const auto* metadata = options.if_contains("metadata"))
        o.telemetry_metadata = std::string{metadata->as_string()};
    if (const auto* omit = options.if_contains("omitContext")) o.omit_context = omit->as_bool();
}

json::value parsed(const std::string& text, json::value fallback) {
    return text.empty() ? std::move(fallback) : json::parse(text);
}

} // namespace

queue::job_options job_options_of(const json::object& opts) {
    queue::job_options o;
    for (const auto& [name, value] : opts) {
        if (name == "jobId")
            o.id = std::string{value.as_string()};
        else if (name == "priority")
            o.priority = value.to_number<std::int32_t>();
        else if (name == "delay")
            o.delay = milliseconds_of(value);
        else if (name == "attempts")
            o.attempts = value.to_number<std::int32_t>();
        else if (name == "backoff")
            o.backoff = backoff_of(value);
        else if (name == "lifo")
            o.lifo = value.as_bool();
        else if (name == "removeOnComplete")
            o.remove_on_complete = keep_policy_of(value);
        else if (name == "removeOnFail")
            o.remove_on_fail = keep_policy_of(value);
        else if (name == "timestamp")
            o.timestamp_ms = value.to_number<std::int64_t>();
        else if (name == "keepLogs")
            o.keep_logs = value.to_number<std::int32_t>();
        else if (name == "stackTraceLimit")
            o.stack_trace_limit = value.to_number<std::int32_t>();
        else if (name == "sizeLimit")
            o.size_limit = value.to_number<std::size_t>();
        else if (name == "deduplication")
            o.deduplication = deduplication_of(value.as_object());
        else if (name == "parent")
            o.parent = queue::parent_options{std::string{value.at("id").as_string()},
                                             std::string{value.at("queue").as_string()}};
        else if (name == "failParentOnFailure")
            o.fail_parent_on_failure = value.as_bool();
        else if (name == "continueParentOnFailure")
            o.continue_parent_on_failure = value.as_bool();
        else if (name == "ignoreDependencyOnFailure")
            o.ignore_dependency_on_failure = value.as_bool();
        else if (name == "removeDependencyOnFailure")
            o.remove_dependency_on_failure = value.as_bool();
        else if (name == "telemetry")
            set_telemetry(o, value.as_object());
        else
            refuse("job option", name);
    }
    return o;
}

queue::new_job new_job_of(const json::object& job) {
    queue::job_options options;
    if (const auto* opts = job.if_contains("opts")) options = job_options_of(opts->as_object());
    return {std::string{job.at("name").as_string()}, json::serialize(job.at("data")), std::move(options)};
}

/// {type: ms}, or {type: "by_data"}: the job's own data.pause times the attempts, or {type: "by_error"}: what
/// the error says.
queue::backoff_strategy backoff_strategy_of(json::object types) {
    return [types = std::move(types)](const queue::failed_attempt& a) {
        const auto* how = types.if_contains(a.type);
        if (!how) return std::chrono::milliseconds{-1};
        if (how->is_number()) return milliseconds_of(*how);
        if (how->as_string() == "by_error") return std::chrono::milliseconds{std::stoll(a.message)};
        return milliseconds_of(json::parse(a.job.data).at("pause")) * a.attempts_made;
    };
}

queue::worker_options worker_options_of(const json::object& options) {
    queue::worker_options o;
    for (const auto& [name, value] : options) {
        if (name == "concurrency")
            o.concurrency = value.to_number<std::size_t>();
        else if (name == "lockDuration")
            o.lock_duration = milliseconds_of(value);
        else if (name == "stalledInterval")
            o.stalled_interval = milliseconds_of(value);
        else if (name == "maxStalledCount")
            o.max_stalled_count = value.to_number<std::int32_t>();
        else if (name == "drainDelay")
            o.drain_delay = std::chrono::seconds{value.to_number<std::int64_t>()};
        else if (name == "removeOnComplete")
            o.remove_on_complete = keep_policy_of(value);
        else if (name == "removeOnFail")
            o.remove_on_fail = keep_policy_of(value);
        else if (name == "maxStartedAttempts")
            o.max_started_attempts = value.to_number<std::int32_t>();
        else if (name == "metrics")
            o.metrics_max_data_points = value.at("maxDataPoints").to_number<std::size_t>();
        else if (name == "limiter") {
            o.limiter_max = value.at("max").to_number<std::int64_t>();
            o.limiter_duration = milliseconds_of(value.at("duration"));
        } else if (name == "backoffs")
            o.custom_backoff = backoff_strategy_of(value.as_object());
        else
            refuse("worker option", name);
    }
    return o;
}

json::object describe(const queue::job_record& job, queue::job_state state) {
    return {
        {"id", job.id},
        {"name", job.name},
        {"data", json::parse(job.data)},
        {"timestamp", job.timestamp_ms},
        {"delay", job.delay_ms},
        {"priority", job.priority},
        {"attempts", job.attempts},
        {"attempts_made", job.attempts_made},
        {"attempts_started", job.attempts_started},
        {"stalled_counter", job.stalled_counter},
        {"processed_by", job.processed_by},
        {"progress", parsed(job.progress, 0)}, // Node's default
        {"result", parsed(job.return_value, nullptr)},
        {"reason", job.failed_reason},
        {"stacks", job.stacktrace.size()},
        {"finished", job.finished_on_ms.has_value()},
        {"state", queue::to_string(state)},
    };
}

json::object describe(const queue::job_counts& counts) {
    return {
        {"waiting", counts.waiting},
        {"active", counts.active},
        {"completed", counts.completed},
        {"failed", counts.failed},
        {"delayed", counts.delayed},
        {"prioritized", counts.prioritized},
        {"waiting-children", counts.waiting_children},
    };
}

queue::job_state job_state_of(std::string_view name) {
    using enum queue::job_state;
    for (const auto state : {waiting, active, completed, failed, delayed, prioritized, waiting_children})
        if (queue::to_string(state) == name) return state;
    refuse("state", name);
}

} // namespace tiktrend::interop
