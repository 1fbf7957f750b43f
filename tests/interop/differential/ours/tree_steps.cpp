#include "steps.hpp"
#include "wire_trees.hpp"

#include <tiktrend/queue/events_producer.hpp>

#include <algorithm>

namespace tiktrend::interop {
namespace {

queue::flow_options flow_options_of(queue::queue& q) {
    queue::flow_options o;
    o.prefix = q.options().prefix;
    o.clock = q.options().clock;
    return o;
}

json::object shown(const queue::flow_tree& tree) {
    std::map<std::string, json::object> by_id; // children come in no order
    for (const auto& child : tree.children)
        by_id[child.job.id] = shown(child);
    json::array children;
    for (auto& [id, child] : by_id)
        children.push_back(std::move(child));
    return {{"id", tree.job.id}, {"children", std::move(children)}};
}

json::object shown(const queue::scheduler_record& s) {
    return {{"name", s.name},
            {"next", s.next_ms},
            {"every", s.every_ms.value_or(0)},
            {"pattern", s.pattern},
            {"tz", s.tz},
            {"iterationCount", s.iteration_count},
            {"limit", s.limit.value_or(0)}};
}

} // namespace

task<step_answer> flow_step(queue::queue& q, std::string_view verb, const json::object& step) {
    queue::flow_producer flows{q.client(), flow_options_of(q)};
    if (verb == "add_flow") {
        queue::queue_defaults defaults;
        if (const auto* given = step.if_contains("options"))
            defaults = queue_defaults_of(given->at("queuesOptions").as_object());
        co_return describe(
            co_await flows.add(flow_node_of(step.at("flow").as_object()), std::move(defaults)));
    }
    if (verb == "add_flows") {
        std::vector<queue::flow_node> roots;
        for (const auto& root : step.at("flows").as_array())
            roots.push_back(flow_node_of(root.as_object()));
        json::array ids;
        for (const auto& root : co_await flows.add_bulk(std::move(roots)))
            ids.emplace_back(root.id);
        co_return ids;
    }
    if (verb == "flow") {
        queue::get_flow_options options;
        if (step.contains("depth")) options.depth = static_cast<std::size_t>(integer(step, "depth"));
        const auto tree = co_await flows.get_flow(q.name(), id_of(step), std::move(options));
        co_return tree ? json::value(shown(*tree)) : json::value();
    }
    co_return std::nullopt;
}

task<step_answer> scheduler_step(queue::queue& q, std::string_view verb, const json::object& step) {
    queue::job_schedulers schedulers{q};
    if (verb == "upsert_scheduler") {
        const auto* jobs = step.if_contains("template");
        const auto made =
            co_await schedulers.upsert(id_of(step), repeat_options_of(step.at("repeat").as_object()),
                                       jobs ? job_template_of(jobs->as_object()) : queue::job_template{});
        co_return made ? json::value(made->id) : json::value();
    }
    if (verb == "remove_scheduler") co_return co_await schedulers.remove(id_of(step));
    if (verb == "scheduler") {
        const auto found = co_await schedulers.get(id_of(step));
        co_return found ? json::value(shown(*found)) : json::value();
    }
    if (verb == "schedulers") {
        json::array ids;
        for (const auto& s : co_await schedulers.list(integer(step, "start"), integer(step, "end", -1),
                                                      flag(step, "ascending")))
            ids.emplace_back(s.id);
        co_return ids;
    }
    if (verb == "publish_event") {
        queue::queue_events_producer producer{q.client(), q.name(), q.options().prefix};
        queue::queue_events_producer::fields fields;
        for (const auto& [name, value] : step.at("fields").as_object())
            fields.emplace_back(std::string{name}, std::string{value.as_string()});
        co_await producer.publish(text(step, "event"), std::move(fields));
        co_return json::value{};
    }
    co_return std::nullopt;
}

} // namespace tiktrend::interop
