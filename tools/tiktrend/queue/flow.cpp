// tiktrend queue flow: a job with its children, over all the queues they are in.
#include "show.hpp"
#include "target.hpp"

#include <tiktrend/queue/queue_getters.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <array>

namespace tiktrend::cli {
namespace {

namespace json = boost::json;

struct flow_options {
    std::string id;
    int depth = 10;
    std::int64_t max_children = 20;
};

/// "<prefix>:<queue>:<id>"; ids of flow members have no colon.
struct job_address {
    std::string prefix, queue, id;
};
std::optional<job_address> address_of(std::string_view key) {
    const auto id = key.rfind(':');
    if (id == std::string_view::npos || id == 0) return {};
    const auto name = key.rfind(':', id - 1);
    if (name == std::string_view::npos) return {};
    return job_address{std::string{key.substr(0, name)}, std::string{key.substr(name + 1, id - name - 1)},
                       std::string{key.substr(id + 1)}};
}

/// At most `limit` children of every kind.
task<std::vector<std::string>> children_of(queue::queue& q, std::string id, std::int64_t limit) {
    using enum queue::dependency_kind;
    queue::queue_getters getters{q};
    std::vector<std::string> keys;
    for (const auto kind : std::array{processed, unprocessed, ignored, failed}) {
        const auto page = co_await getters.dependencies(id, kind, 0, limit);
        for (const auto& [key, value] : page.values)
            keys.push_back(key);
        keys.insert(keys.end(), page.keys.begin(), page.keys.end());
    }
    if (keys.size() > static_cast<std::size_t>(limit)) keys.resize(static_cast<std::size_t>(limit));
    co_return keys;
}

task<json::object> tree(redis::client& client, job_address at, int depth, std::int64_t max_children) {
    queue::queue_options options;
    options.prefix = at.prefix;
    queue::queue q{client, at.queue, options};
    const auto found = co_await q.get_job_and_state(at.id);
    if (!found) co_return json::object{{"id", at.id}, {"queue", at.queue}, {"state", "unknown"}};
    auto node = to_json(found->first, found->second);
    node["queue"] = at.queue;
    if (depth <= 1) co_return node;
    json::array children;
    for (const auto& key : co_await children_of(q, at.id, max_children)) {
        auto child = address_of(key);
        if (child) children.push_back(co_await tree(client, std::move(*child), depth - 1, max_children));
    }
    if (!children.empty()) node["children"] = std::move(children);
    co_return node;
}

void print_tree(const json::object& node, std::size_t level) {
    const auto* name = node.if_contains("name");
    const auto* reason = node.if_contains("failedReason");
    fmt::print("{}{} {}/{}{}{}\n", std::string(level * 2, ' '), std::string{node.at("state").as_string()},
               printable(node.at("queue").as_string()), printable(node.at("id").as_string()),
               name ? " " + printable(name->as_string()) : "",
               reason ? ": " + printable(reason->as_string(), 60) : "");
    if (const auto* children = node.if_contains("children"))
        for (const auto& child : children->as_array())
            print_tree(child.as_object(), level + 1);
}

task<int> show_flow(const queue_target& target, const flow_options& options, queue::queue& q) {
    const auto root = co_await tree(q.client(), job_address{target.prefix, target.name, options.id},
                                    options.depth, options.max_children);
    if (root.at("state").as_string() == "unknown" && !root.contains("name"))
        throw std::runtime_error(
            fmt::format("there is no job \"{}\" in the queue \"{}\"", options.id, target.name));
    if (target.as_json)
        print(root);
    else
        print_tree(root, 0);
    co_return exit_ok;
}

} // namespace

void add_queue_flow(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("flow", "A job and its children, over all the queues they are in");
    auto target = add_target(*verb);
    auto options = std::make_shared<flow_options>();
    verb->add_option("id", options->id, "Job at the root")->required();
    verb->add_option("--depth", options->depth, "Generations")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    verb->add_option("--max-children", options->max_children, "Children shown of one job")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    verb->callback([&chosen, target, options] {
        chosen =
            on_queue(target, [target, options](queue::queue& q) { return show_flow(*target, *options, q); });
    });
}

} // namespace tiktrend::cli
