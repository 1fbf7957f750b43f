#include "wire_trees.hpp"

#include <stdexcept>

namespace tiktrend::interop {
namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view name) {
    throw std::runtime_error("the actor does not know " + std::string{what} + " " + std::string{name});
}

template <class Children>
json::array all(const Children& children) {
    json::array out;
    for (const auto& child : children)
        out.push_back(describe(child));
    return out;
}

} // namespace

queue::flow_node flow_node_of(const json::object& node) {
    queue::flow_node out;
    for (const auto& [name, value] : node) {
        if (name == "name")
            out.name = std::string{value.as_string()};
        else if (name == "queueName")
            out.queue_name = std::string{value.as_string()};
        else if (name == "prefix")
            out.prefix = std::string{value.as_string()};
        else if (name == "data")
            out.data = json::serialize(value);
        else if (name == "opts")
            out.options = job_options_of(value.as_object());
        else if (name == "children")
            for (const auto& child : value.as_array())
                out.children.push_back(flow_node_of(child.as_object()));
        else
            refuse("flow member", name);
    }
    return out;
}

queue::queue_defaults queue_defaults_of(const json::object& options) {
    queue::queue_defaults out;
    for (const auto& [name, value] : options)
        if (const auto* defaults = value.as_object().if_contains("defaultJobOptions"))
            out[std::string{name}] = job_options_of(defaults->as_object());
    return out;
}

queue::repeat_options repeat_options_of(const json::object& options) {
    queue::repeat_options out;
    for (const auto& [name, value] : options) {
        if (name == "every")
            out.every = std::chrono::milliseconds{value.to_number<std::int64_t>()};
        else if (name == "pattern")
            out.pattern = std::string{value.as_string()};
        else if (name == "tz")
            out.tz = std::string{value.as_string()};
        else if (name == "limit")
            out.limit = value.to_number<std::int64_t>();
        else if (name == "startDate")
            out.start_ms = value.to_number<std::int64_t>();
        else if (name == "endDate")
            out.end_ms = value.to_number<std::int64_t>();
        else if (name == "offset")
            out.offset = std::chrono::milliseconds{value.to_number<std::int64_t>()};
        else if (name == "immediately")
            out.immediately = value.as_bool();
        else
            refuse("repeat option", name);
    }
    return out;
}

queue::job_template job_template_of(const json::object& jobs) {
    queue::job_template out;
    if (const auto* name = jobs.if_contains("name")) out.name = std::string{name->as_string()};
    if (const auto* data = jobs.if_contains("data")) out.data = json::serialize(*data);
    if (const auto* opts = jobs.if_contains("opts")) out.options = job_options_of(opts->as_object());
    return out;
}

json::object describe(const queue::flow_job& job) {
    return {{"id", job.id}, {"children", all(job.children)}};
}

json::object describe(const queue::flow_tree& tree) {
    return {{"id", tree.job.id}, {"state", queue::to_string(tree.state)}, {"children", all(tree.children)}};
}

json::object describe(const queue::scheduler_record& s) {
    json::object out{
        {"key", s.id}, {"name", s.name}, {"next", s.next_ms}, {"iterationCount", s.iteration_count}};
    const auto number = [&out](std::string_view name, const std::optional<std::int64_t>& n) {
        if (n) out[name] = *n;
    };
    number("every", s.every_ms);
    number("limit", s.limit);
    number("startDate", s.start_ms);
    number("endDate", s.end_ms);
    number("offset", s.offset_ms);
    if (!s.pattern.empty()) out["pattern"] = s.pattern;
    if (!s.tz.empty()) out["tz"] = s.tz;
    return out;
}

} // namespace tiktrend::interop
