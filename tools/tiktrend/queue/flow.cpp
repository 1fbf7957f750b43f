// tiktrend queue flow: a job with its children, over all the queues they are in.
#include "show.hpp"
#include "target.hpp"

#include <tiktrend/queue/flow_producer.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace tiktrend::cli {
namespace {

namespace json = boost::json;

struct shown_flow {
    std::string id;
    queue::get_flow_options bounds;
};

json::object tree_to_json(const queue::flow_tree& node) {
    auto o = to_json(node.job, node.state);
    o["queue"] = node.queue;
    json::array children;
    for (const auto& child : node.children)
        children.push_back(tree_to_json(child));
    if (!children.empty()) o["children"] = std::move(children);
    return o;
}

void print_tree(const queue::flow_tree& node, std::size_t level) {
    const auto& job = node.job;
    fmt::print("{}{} {}:{} {}{}\n", std::string(level * 2, ' '), to_string(node.state), printable(node.queue),
               printable(job.id), printable(job.name),
               job.failed_reason.empty() ? "" : ": " + printable(job.failed_reason, 60));
    for (const auto& child : node.children)
        print_tree(child, level + 1);
}

task<int> show_flow(const queue_target& target, const shown_flow& flow, queue::queue& q) {
    queue::flow_options options;
    options.prefix = target.prefix;
    queue::flow_producer flows{q.client(), options};
    const auto found = co_await flows.get_flow(q.name(), flow.id, flow.bounds);
    if (!found)
        throw std::runtime_error(
            fmt::format("there is no job \"{}\" in the queue \"{}\"", flow.id, q.name()));
    if (target.as_json)
        print(tree_to_json(*found));
    else
        print_tree(*found, 0);
    co_return exit_ok;
}

} // namespace

void add_queue_flow(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("flow", "A job and its children, over all the queues they are in");
    auto target = add_target(*verb);
    auto flow = std::make_shared<shown_flow>();
    verb->add_option("id", flow->id, "Job at the root")->required();
    verb->add_option("--depth", flow->bounds.depth, "Generations")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    verb->add_option("--max-children", flow->bounds.max_children, "Children shown of one job, of each kind")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    verb->callback([&chosen, target, flow] {
        chosen = on_queue(target, [target, flow](queue::queue& q) { return show_flow(*target, *flow, q); });
    });
}

} // namespace tiktrend::cli
