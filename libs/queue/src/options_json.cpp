#include "options_json.hpp"

#include "backoff.hpp"
#include "job_id.hpp"

#include <tiktrend/base/json_text.hpp>

#include <cmath>

namespace tiktrend::queue {
namespace {

/// Members of one JSON object, in the order they are added.
class object_writer {
public:
    explicit object_writer(std::string& out) : out_{out} { out_ += '{'; }
    std::string& key(std::string_view name) {
        if (!first_) out_ += ',';
        first_ = false;
        out_ += '"';
        out_.append(name).append("\":");
        return out_;
    }
    void number(std::string_view name, std::int64_t value) { key(name) += std::to_string(value); }
    void flag(std::string_view name) { key(name) += "true"; }
    void text(std::string_view name, std::string_view value) { append_json_string(key(name), value); }
    void close() { out_ += '}'; }

private:
    std::string& out_;
    bool first_ = true;
};

void write_keep(object_writer& object, std::string_view name, const keep_policy& keep) {
    if (keep == keep_policy::all()) {
        object.key(name) += "false";
    } else if (keep == keep_policy::none()) {
        object.flag(name);
    } else if (keep.count && !keep.age) {
        object.number(name, *keep.count);
    } else {
        object_writer inner{object.key(name)};
        if (keep.count) inner.number("count", *keep.count);
        if (keep.age) inner.number("age", keep.age->count());
        if (keep.limit) inner.number("limit", *keep.limit);
        inner.close();
    }
}

bool is_valid(const keep_policy& keep) noexcept {
    return (!keep.count || *keep.count >= 0) && (!keep.age || keep.age->count() >= 0) &&
           (!keep.limit || *keep.limit > 0);
}

bool is_valid_delay(std::chrono::milliseconds delay) noexcept {
    return delay.count() >= 0 && delay <= max_delay;
}

} // namespace

std::string options_to_json(const job_options& o) {
    std::string out;
    out.reserve(96);
    object_writer object{out};
    object.number("attempts", o.attempts);
    if (o.backoff) {
        object_writer backoff{object.key("backoff")};
        backoff.text("type", o.backoff->type);
        backoff.number("delay", o.backoff->delay.count());
        if (o.backoff->jitter > 0) append_json_number(backoff.key("jitter"), o.backoff->jitter);
        backoff.close();
    }
    if (o.delay.count() > 0) object.number("delay", o.delay.count());
    if (o.priority > 0) object.number("priority", o.priority);
    if (o.lifo) object.flag("lifo");
    if (o.timestamp_ms) object.number("timestamp", *o.timestamp_ms);
    if (!o.id.empty()) object.text("jobId", o.id);
    if (o.remove_on_complete) write_keep(object, "removeOnComplete", *o.remove_on_complete);
    if (o.remove_on_fail) write_keep(object, "removeOnFail", *o.remove_on_fail);
    if (o.keep_logs) object.number("kl", *o.keep_logs);
    if (o.stack_trace_limit) object.number("stackTraceLimit", *o.stack_trace_limit);
    if (o.size_limit) object.number("sizeLimit", static_cast<std::int64_t>(*o.size_limit));
    if (!o.telemetry_metadata.empty()) object.text("tm", o.telemetry_metadata);
    if (o.omit_context) object.flag("omc");
    object.close();
    return out;
}

job_options with_defaults(job_options o, const job_options& d) {
    if (o.priority == 0) o.priority = d.priority;
    if (o.delay.count() == 0) o.delay = d.delay;
    if (o.attempts == 0) o.attempts = d.attempts;
    if (!o.backoff) o.backoff = d.backoff;
    if (!o.remove_on_complete) o.remove_on_complete = d.remove_on_complete;
    if (!o.remove_on_fail) o.remove_on_fail = d.remove_on_fail;
    if (!o.keep_logs) o.keep_logs = d.keep_logs;
    if (!o.stack_trace_limit) o.stack_trace_limit = d.stack_trace_limit;
    if (!o.size_limit) o.size_limit = d.size_limit;
    o.lifo = o.lifo || d.lifo;
    return o;
}

error_code check_options(const job_options& o) noexcept {
    if (!o.id.empty() && !is_valid_custom_id(o.id)) return errc::invalid_job_id;
    if (o.priority < 0 || o.priority > max_priority) return errc::invalid_priority;
    const bool backoff_ok = !o.backoff || (!o.backoff->type.empty() && is_valid_delay(o.backoff->delay) &&
                                           o.backoff->jitter >= 0 && o.backoff->jitter <= 1);
    const bool counts_ok = o.attempts >= 0 && (!o.keep_logs || *o.keep_logs >= 0) &&
                           (!o.stack_trace_limit || *o.stack_trace_limit >= 0) &&
                           (!o.timestamp_ms || *o.timestamp_ms > 0);
    const bool keep_ok = (!o.remove_on_complete || is_valid(*o.remove_on_complete)) &&
                         (!o.remove_on_fail || is_valid(*o.remove_on_fail));
    if (!is_valid_delay(o.delay) || !backoff_ok || !counts_ok || !keep_ok) return errc::invalid_options;
    return {};
}

} // namespace tiktrend::queue
