#include "options_check.hpp"

#include "backoff.hpp"
#include "group_keys.hpp"
#include "job_id.hpp"
#include "options_json.hpp"
#include "stored_options.hpp"

#include <tiktrend/base/json_text.hpp>

namespace tiktrend::queue {
namespace {

constexpr std::size_t shown = 80; ///< bytes of a refused text in a message
constexpr std::size_t longest_group = 256;
constexpr std::int64_t largest_whole = 9'007'199'254'740'991; ///< that JavaScript and Lua keep exact

using problem = std::optional<options_problem>;

problem refused(std::string field, std::string value, std::string rule, errc code = errc::invalid_options) {
    return options_problem{code, std::move(field), std::move(value), std::move(rule)};
}

problem check_range(std::string_view field, std::int64_t value, std::int64_t low, std::int64_t high,
                    std::string_view unit = {}, errc code = errc::invalid_options) {
    if (value >= low && value <= high) return {};
    return refused(std::string{field}, std::to_string(value),
                   "a whole number from " + std::to_string(low) + " to " + std::to_string(high) +
                       std::string{unit},
                   code);
}

problem check_delay(std::string_view field, std::chrono::milliseconds value) {
    return check_range(field, value.count(), 0, max_delay.count(), " (ms)");
}

problem check_optional(std::string_view field, std::optional<std::int64_t> value, std::int64_t low,
                       std::int64_t high) {
    return value ? check_range(field, *value, low, high) : problem{};
}

problem check_at_least(std::string_view field, std::optional<std::int64_t> value, std::int64_t low) {
    if (!value || *value >= low) return {};
    return refused(std::string{field}, std::to_string(*value), std::to_string(low) + " or more");
}

problem check_keep(const std::string& field, const std::optional<keep_policy>& keep) {
    if (!keep) return {};
    if (auto p = check_optional(field + ".count", keep->count, 0, largest_whole)) return p;
    if (keep->age)
        if (auto p = check_range(field + ".age", keep->age->count(), 0, largest_whole / 1000)) return p;
    return check_optional(field + ".limit", keep->limit, 1, largest_whole);
}

problem check_backoff(const backoff_options& b) {
    if (b.type.empty()) return refused("backoff.type", "\"\"", "fixed, exponential or a name of your own");
    if (auto p = check_delay("backoff.delay", b.delay)) return p;
    if (b.jitter >= 0 && b.jitter <= 1) return {};
    std::string value;
    append_json_number(value, b.jitter);
    return refused("backoff.jitter", std::move(value), "a number from 0 to 1");
}

problem check_deduplication(const job_options& o) {
    const auto& d = *o.deduplication;
    if (d.id.empty() || d.id.size() > 1000 || !is_valid_utf8(d.id))
        return refused("deduplication.id", quoted(d.id), "1 to 1000 bytes of UTF-8");
    if (d.ttl)
        if (auto p = check_delay("deduplication.ttl", *d.ttl)) return p;
    if (!o.parent) return {};
    return refused("parent", quoted(o.parent->queue + ":" + o.parent->id),
                   "no parent for a job with a deduplication id");
}

problem check_parent(const parent_options& parent) {
    if (parent.id.empty() || parent.id.find(':') != std::string::npos)
        return refused("parent.id", quoted(parent.id), "a text without a colon");
    if (!is_possible_job_id(parent.id))
        return refused("parent.id", quoted(parent.id), "not the name of a key of the queue");
    if (!is_qualified_queue(parent.queue))
        return refused("parent.queue", quoted(parent.queue), "<prefix>:<queue>");
    return {};
}

problem check_policies(const job_options& o) {
    std::string names;
    std::size_t count = 0;
    const auto add = [&](bool is_set, std::string_view name) {
        if (!is_set) return;
        names.append(count++ == 0 ? "" : ", ").append(name);
    };
    add(o.fail_parent_on_failure, "fail_parent_on_failure");
    add(o.continue_parent_on_failure, "continue_parent_on_failure");
    add(o.ignore_dependency_on_failure, "ignore_dependency_on_failure");
    add(o.remove_dependency_on_failure, "remove_dependency_on_failure");
    if (count < 2) return {};
    return refused("policy on failure", std::move(names), "at most one of them");
}

problem check_group(const job_options& o) {
    const auto& g = *o.group;
    if (const auto rule = broken_group_rule(g.id); !rule.empty())
        return refused("group.id", quoted(g.id), std::string{rule});
    if (auto p = check_range("group.priority", g.priority, 0, max_priority)) return p;
    if (auto p = check_at_least("group.max_size", g.max_size, 1)) return p;
    if (o.priority == 0) return {};
    return refused("priority", std::to_string(o.priority),
                   "none for a job of a group, which has group.priority");
}

} // namespace

std::string quoted(std::string_view text) {
    std::string out{"\""};
    out.append(text.substr(0, shown));
    return out + (text.size() > shown ? "…\"" : "\"");
}

bool is_qualified_queue(std::string_view name) noexcept {
    const auto colon = name.rfind(':');
    return colon != std::string_view::npos && colon > 0 && colon + 1 < name.size() && is_valid_utf8(name);
}

std::string_view broken_group_rule(std::string_view group) noexcept {
    if (group.empty() || group.size() > longest_group) return "1 to 256 bytes";
    if (!is_valid_utf8(group)) return "UTF-8";
    return {};
}

std::optional<options_problem> find_problem(const job_options& o) {
    if (!o.id.empty() && !is_valid_custom_id(o.id))
        return refused("job id", quoted(o.id),
                       "UTF-8 of at most 1000 bytes without a colon, not a number, not the name of a key",
                       errc::invalid_job_id);
    if (auto p = check_range("priority", o.priority, 0, max_priority, {}, errc::invalid_priority)) return p;
    if (auto p = check_delay("delay", o.delay)) return p;
    if (auto p = check_at_least("attempts", o.attempts, 0)) return p;
    if (o.backoff)
        if (auto p = check_backoff(*o.backoff)) return p;
    if (auto p = check_at_least("keep_logs", o.keep_logs, 0)) return p;
    if (auto p = check_at_least("stack_trace_limit", o.stack_trace_limit, 0)) return p;
    if (auto p = check_at_least("timestamp_ms", o.timestamp_ms, 1)) return p;
    if (auto p = check_keep("remove_on_complete", o.remove_on_complete)) return p;
    if (auto p = check_keep("remove_on_fail", o.remove_on_fail)) return p;
    if (o.deduplication)
        if (auto p = check_deduplication(o)) return p;
    if (o.parent)
        if (auto p = check_parent(*o.parent)) return p;
    if (auto p = check_policies(o)) return p;
    if (o.group)
        if (auto p = check_group(o)) return p;
    if (!is_valid_utf8(o.telemetry_metadata))
        return refused("telemetry_metadata", quoted(o.telemetry_metadata), "UTF-8");
    return {};
}

error_code check_options(const job_options& o) {
    const auto found = find_problem(o);
    return found ? found->code : error_code{};
}

std::optional<options_problem> find_data_problem(std::string_view data, const job_options& options,
                                                 json_checker& json) {
    if (options.size_limit && data.size() > *options.size_limit)
        return refused("data", std::to_string(data.size()) + " bytes",
                       "at most " + std::to_string(*options.size_limit) + " (size_limit)",
                       errc::data_too_large);
    if (!json.is_json(data))
        return refused("data", quoted(data), "one JSON text in UTF-8", errc::invalid_json);
    return {};
}

} // namespace tiktrend::queue
