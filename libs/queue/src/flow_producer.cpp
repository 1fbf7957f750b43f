#include "flow_plan.hpp"
#include "keys.hpp"
#include "record.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

#include <tiktrend/queue/flow_producer.hpp>

#include <algorithm>
#include <deque>

namespace tiktrend::queue {
namespace {

/// "<prefix>:<queue>:<id>" as the key base and the id.
std::optional<std::pair<std::string, std::string>> split_key(std::string_view key) {
    const auto colon = key.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return {};
    return std::pair{std::string{key.substr(0, colon + 1)}, std::string{key.substr(colon + 1)}};
}

} // namespace

struct flow_producer::impl {
    impl(redis::client& c, flow_options o) : client{c}, options{std::move(o)} {}

    redis::client& client;
    flow_options options;
    options_reader reader;
    json_checker json;

    task<redis::reply> send(const flow_plan& plan, const std::string& now) {
        std::vector<std::string> numbers;
        numbers.reserve(plan.jobs.size());
        std::vector<std::string_view> words{now};
        words.reserve(1 + plan.jobs.size() * 9);
        for (const auto& j : plan.jobs) {
            numbers.push_back(std::to_string(j.base));
            for (const std::string_view word :
                 {std::string_view{numbers.back()}, std::string_view{j.id}, std::string_view{j.name},
                  std::string_view{j.data}, std::string_view{j.opts}, std::string_view{j.timestamp},
                  std::string_view{j.delay}, std::string_view{j.priority}, std::string_view{j.side}})
                words.push_back(word);
        }
        const std::vector<std::string_view> keys{plan.bases.begin(), plan.bases.end()};
        auto reply = co_await client.eval(scripts::all().add_flow, keys, words);
        if (reply.is_error()) throw std::runtime_error("flow: " + std::string{reply.text()});
        co_return reply;
    }

    task<std::vector<flow_job>> add(std::vector<flow_node> roots, queue_defaults defaults) {
        if (roots.empty()) co_return std::vector<flow_job>{};
        auto plan = plan_flows(std::move(roots), defaults, options, json,
                               client.where().kind == redis::topology::cluster);
        const auto now = std::to_string(options.clock->now_ms());
        const auto reply = co_await send(plan, now);
        if (const auto code = reply[0].integer(); code != 0) {
            const auto at = static_cast<std::size_t>(reply[1].integer()) - 1;
            throw_if_refused(code,
                             "flow, " + plan.jobs.at(at).place + ", job " + plan.jobs.at(at).result->key());
        }
        if (reply.size() != plan.jobs.size() + 1) throw std::runtime_error("flow: unexpected reply");
        for (std::size_t i = 0; i < plan.jobs.size(); ++i)
            if (reply[i + 1].type() == redis::reply::kind::integer)
                throw_if_refused(reply[i + 1].integer(), "flow, " + plan.jobs[i].place);
        for (std::size_t i = 0; i < plan.jobs.size(); ++i)
            plan.jobs[i].result->id = reply[i + 1].text();
        co_return std::move(plan.roots);
    }

    struct open_node {
        std::string base, id;
        std::size_t depth;
        flow_tree* tree;
    };

    /// Reads one job; its children's keys. False: there is no such job.
    task<bool> read(const open_node& node, std::size_t max_children, std::vector<std::string>& children) {
        const auto most = std::to_string(max_children);
        const std::string_view words[]{node.id, most};
        const auto reply = co_await run_script_views(client, scripts::all().flow_node, node.base, words);
        const auto fields = reply[1];
        if (fields.size() == 0) co_return false;
        node.tree->job = read_record(node.id, fields, fields.size(), reader, json);
        node.tree->state = state_from(reply[0].text());
        node.tree->queue = node.base.substr(0, node.base.size() - 1);
        for (std::size_t kind = 2; kind < 6; ++kind)
            for (std::size_t i = 0; i < reply[kind].size(); ++i)
                children.emplace_back(reply[kind][i].text());
        co_return true;
    }
};

flow_producer::flow_producer(redis::client& client, flow_options options)
    : impl_{std::make_unique<impl>(client, std::move(options))} {}
flow_producer::~flow_producer() = default;

task<flow_job> flow_producer::add(flow_node root, queue_defaults defaults) {
    std::vector<flow_node> roots;
    roots.push_back(std::move(root));
    auto added = co_await impl_->add(std::move(roots), std::move(defaults));
    co_return std::move(added.front());
}

task<std::vector<flow_job>> flow_producer::add_bulk(std::vector<flow_node> roots, queue_defaults defaults) {
    return impl_->add(std::move(roots), std::move(defaults));
}

task<std::optional<flow_tree>> flow_producer::get_flow(std::string queue_name, std::string id,
                                                       get_flow_options options) {
    const queue_keys keys{options.prefix.empty() ? impl_->options.prefix : options.prefix, queue_name};
    // Level by level. Room for a job's children is taken once, so that no tree moves while it is open.
    flow_tree root;
    std::deque<impl::open_node> open{{keys.base(), std::move(id), options.depth, &root}};
    std::size_t nodes = 1;
    while (!open.empty()) {
        const auto node = std::move(open.front());
        open.pop_front();
        std::vector<std::string> children;
        if (!co_await impl_->read(node, options.max_children, children)) {
            if (node.tree == &root) co_return std::nullopt;
            continue;
        }
        if (node.depth <= 1) continue;
        const auto room = std::min(children.size(), options.max_nodes - std::min(nodes, options.max_nodes));
        node.tree->children.resize(room);
        nodes += room;
        for (std::size_t i = 0; i < room; ++i)
            if (auto parts = split_key(children[i]))
                open.push_back({std::move(parts->first), std::move(parts->second), node.depth - 1,
                                &node.tree->children[i]});
    }
    // Children without a hash were removed.
    const auto prune = [](const auto& self, flow_tree& tree) -> void {
        std::erase_if(tree.children, [](const flow_tree& child) { return child.queue.empty(); });
        for (auto& child : tree.children)
            self(self, child);
    };
    prune(prune, root);
    co_return std::move(root);
}

} // namespace tiktrend::queue
