#include "options_json.hpp"

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

void write_deduplication(object_writer& object, const deduplication_options& d) {
    object_writer inner{object.key("de")};
    inner.text("id", d.id);
    if (d.ttl && d.ttl->count() > 0) inner.number("ttl", d.ttl->count());
    if (d.extend) inner.flag("extend");
    if (d.replace) inner.flag("replace");
    if (d.reschedule) inner.flag("reschedule");
    if (d.keep_last_if_active) inner.flag("keepLastIfActive");
    inner.close();
}

void write_group(object_writer& object, const group_options& g) {
    object_writer inner{object.key("group")};
    inner.text("id", g.id);
    if (g.priority > 0) inner.number("priority", g.priority);
    if (g.max_size) inner.number("maxSize", *g.max_size);
    inner.close();
}

void write_failure_policy(object_writer& object, const job_options& o) {
    if (o.fail_parent_on_failure) object.flag("fpof");
    if (o.continue_parent_on_failure) object.flag("cpof");
    if (o.ignore_dependency_on_failure) object.flag("idof");
    if (o.remove_dependency_on_failure) object.flag("rdof");
}

bool has_failure_policy(const job_options& o) noexcept {
    return o.fail_parent_on_failure || o.continue_parent_on_failure || o.ignore_dependency_on_failure ||
           o.remove_dependency_on_failure;
}

} // namespace

std::string options_to_json(const job_options& o, attempts_member attempts) {
    std::string out;
    out.reserve(96);
    object_writer object{out};
    if (attempts == attempts_member::always || o.attempts > 0) object.number("attempts", o.attempts);
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
    if (o.group) write_group(object, *o.group);
    if (o.deduplication) write_deduplication(object, *o.deduplication);
    write_failure_policy(object, o);
    if (o.parent) {
        object_writer parent{object.key("parent")};
        parent.text("id", o.parent->id);
        parent.text("queue", o.parent->queue);
        parent.close();
    }
    object.close();
    return out;
}

std::string parent_field(const job_options& o) {
    std::string out;
    object_writer object{out};
    object.text("id", o.parent->id);
    object.text("queueKey", o.parent->queue);
    write_failure_policy(object, o);
    object.close();
    return out;
}

std::string side_word(const job_options& o, bool waits_for_children, bool emits_debounced) {
    if (!o.deduplication && !o.parent && !o.group && !waits_for_children) return o.lifo ? "R" : "L";
    std::string out;
    object_writer object{out};
    if (o.lifo) object.flag("lifo");
    if (waits_for_children) object.flag("waitsForChildren");
    if (o.parent) {
        object.text("parentKey", o.parent->queue + ":" + o.parent->id);
        object.text("parent", parent_field(o));
    }
    if (o.group) write_group(object, *o.group);
    if (o.deduplication) {
        write_deduplication(object, *o.deduplication);
        if (emits_debounced) { // a member of `de` for the script alone
            out.pop_back();
            out += ",\"debounced\":true}";
        }
    }
    object.close();
    return out;
}

void fill_in(job_options& o, const job_options& d) {
    if (!o.group) o.group = d.group;
    if (o.priority == 0 && !o.group) o.priority = d.priority;
    if (o.delay.count() == 0) o.delay = d.delay;
    if (o.attempts == 0) o.attempts = d.attempts;
    if (!o.backoff) o.backoff = d.backoff;
    if (!o.remove_on_complete) o.remove_on_complete = d.remove_on_complete;
    if (!o.remove_on_fail) o.remove_on_fail = d.remove_on_fail;
    if (!o.keep_logs) o.keep_logs = d.keep_logs;
    if (!o.stack_trace_limit) o.stack_trace_limit = d.stack_trace_limit;
    if (!o.size_limit) o.size_limit = d.size_limit;
    if (!o.deduplication) o.deduplication = d.deduplication;
    if (!has_failure_policy(o)) {
        o.fail_parent_on_failure = d.fail_parent_on_failure;
        o.continue_parent_on_failure = d.continue_parent_on_failure;
        o.ignore_dependency_on_failure = d.ignore_dependency_on_failure;
        o.remove_dependency_on_failure = d.remove_dependency_on_failure;
    }
    o.lifo = o.lifo || d.lifo;
}

job_options with_defaults(job_options o, const job_options& d) {
    fill_in(o, d);
    return o;
}

} // namespace tiktrend::queue
