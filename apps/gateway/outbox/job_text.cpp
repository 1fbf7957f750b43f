#include "outbox/job_text.hpp"

#include "json_writer.hpp"

#include <simdjson.h>

namespace tiktrend::gateway {
namespace {

void write_keep(json_object_writer& w, std::string_view name, const std::optional<queue::keep_policy>& k) {
    if (!k) return;
    json_object_writer policy;
    if (k->count) policy.integer("count", *k->count);
    if (k->age) policy.integer("age_s", k->age->count());
    if (k->limit) policy.integer("limit", *k->limit);
    w.json(name, policy.take());
}

std::optional<std::int64_t> integer(simdjson::dom::object o, std::string_view name) {
    std::int64_t n = 0;
    if (o[name].get(n) != simdjson::SUCCESS) return std::nullopt;
    return n;
}

std::string text(simdjson::dom::object o, std::string_view name) {
    std::string_view t;
    return o[name].get(t) == simdjson::SUCCESS ? std::string{t} : std::string{};
}

std::optional<queue::keep_policy> read_keep(simdjson::dom::object o, std::string_view name) {
    simdjson::dom::object policy;
    if (o[name].get(policy) != simdjson::SUCCESS) return std::nullopt;
    queue::keep_policy k;
    k.count = integer(policy, "count");
    if (const auto age = integer(policy, "age_s")) k.age = std::chrono::seconds{*age};
    k.limit = integer(policy, "limit");
    return k;
}

} // namespace

catalog::outbox_job to_outbox(const queue::new_job& job) {
    const auto& o = job.options;
    json_object_writer w;
    w.integer("v", 1);
    w.integer("priority", o.priority);
    w.integer("attempts", o.attempts);
    w.integer("delay_ms", o.delay.count());
    w.integer("timestamp_ms", o.timestamp_ms.value_or(0));
    if (o.backoff) {
        json_object_writer b;
        b.text("type", o.backoff->type);
        b.integer("delay_ms", o.backoff->delay.count());
        std::string jitter;
        append_json_number(jitter, o.backoff->jitter);
        b.json("jitter", jitter);
        w.json("backoff", b.take());
    }
    write_keep(w, "keep_completed", o.remove_on_complete);
    write_keep(w, "keep_failed", o.remove_on_fail);
    if (!o.telemetry_metadata.empty()) w.text("trace", o.telemetry_metadata);
    return {o.id, job.name, job.data, w.take()};
}

std::optional<queue::new_job> from_outbox(const catalog::outbox_job& row) {
    thread_local simdjson::dom::parser parser;
    simdjson::dom::object o;
    if (parser.parse(row.options).get(o) != simdjson::SUCCESS || integer(o, "v") != 1) return std::nullopt;
    queue::new_job job{row.name, row.data};
    job.options.id = row.job_id;
    job.options.priority = static_cast<std::int32_t>(integer(o, "priority").value_or(0));
    job.options.attempts = static_cast<std::int32_t>(integer(o, "attempts").value_or(0));
    job.options.delay = std::chrono::milliseconds{integer(o, "delay_ms").value_or(0)};
    job.options.timestamp_ms = integer(o, "timestamp_ms");
    job.options.telemetry_metadata = text(o, "trace");
    job.options.remove_on_complete = read_keep(o, "keep_completed");
    job.options.remove_on_fail = read_keep(o, "keep_failed");
    if (simdjson::dom::object b; o["backoff"].get(b) == simdjson::SUCCESS) {
        queue::backoff_options backoff;
        backoff.type = text(b, "type");
        backoff.delay = std::chrono::milliseconds{integer(b, "delay_ms").value_or(0)};
        double jitter = 0;
        if (b["jitter"].get(jitter) == simdjson::SUCCESS) backoff.jitter = jitter;
        job.options.backoff = backoff;
    }
    return job;
}

} // namespace tiktrend::gateway
