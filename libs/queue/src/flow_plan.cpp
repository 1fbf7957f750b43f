#include "flow_plan.hpp"

#include "keys.hpp"
#include "options_check.hpp"
#include "options_json.hpp"
#include "slot_tag.hpp"
#include "stored_options.hpp"

#include <tiktrend/base/ids.hpp>

#include <algorithm>
#include <deque>
#include <set>

namespace tiktrend::queue {
namespace {

[[noreturn]] void refuse(const std::string& place, std::string_view field, std::string value,
                         std::string rule) {
    throw input_error(errc::invalid_flow, place + "." + std::string{field}, std::move(value),
                      std::move(rule));
}

class planner {
public:
    planner(const queue_defaults& defaults, const flow_options& options, json_checker& json, bool is_cluster)
        : defaults_{defaults}, options_{options}, json_{json}, is_cluster_{is_cluster},
          timestamp_ms_{options.clock->now_ms()} {}

    flow_plan plan(std::vector<flow_node> roots) {
        plan_.roots.resize(roots.size());
        for (std::size_t i = 0; i < roots.size(); ++i)
            open_.push_back({std::move(roots[i]),
                             &plan_.roots[i],
                             roots.size() == 1 ? "root" : "root[" + std::to_string(i) + "]",
                             true,
                             {}});
        while (!open_.empty()) {
            auto next = std::move(open_.front());
            open_.pop_front();
            add(std::move(next));
        }
        return std::move(plan_);
    }

private:
    struct open_node {
        flow_node node;
        flow_job* result;
        std::string place;
        bool is_root;
        std::optional<parent_options> parent;
    };

    void add(open_node open) {
        auto& node = open.node;
        if (plan_.jobs.size() + open_.size() >= options_.max_nodes)
            refuse(open.place, "children", "one more",
                   "at most " + std::to_string(options_.max_nodes) + " jobs in all (max_nodes)");
        if (node.queue_name.empty() || node.queue_name.find(':') != std::string::npos)
            refuse(open.place, "queue_name", quoted(node.queue_name), "a text without a colon");
        if (node.prefix.empty()) node.prefix = options_.prefix;
        const auto found = defaults_.find(node.queue_name);
        auto o = found == defaults_.end() ? node.options : with_defaults(node.options, found->second);
        const bool is_parent = !node.children.empty();
        if (!open.is_root) {
            if (o.parent)
                refuse(open.place, "parent", quoted(o.parent->queue + ":" + o.parent->id),
                       "none: it is the job above in the tree");
            o.parent = open.parent;
        }
        if (is_parent && o.deduplication)
            refuse(open.place, "deduplication", quoted(o.deduplication->id), "none for a job with children");
        if (const auto problem = find_problem(o)) throw problem->error(open.place + ".");
        if (const auto problem = find_data_problem(node.data, o, json_))
            throw problem->error(open.place + ".");

        const auto qualified = node.prefix + ":" + node.queue_name;
        check_slot(open.place, qualified);
        if (o.parent) check_slot(open.place, o.parent->queue);
        const auto id = o.id.empty() ? uuid_v4() : o.id;
        if (!keys_.insert(qualified + ":" + id).second)
            refuse(open.place, "id", qualified + ":" + id, "a job that is there once");
        if (options_.trace_context && o.telemetry_metadata.empty() && !o.omit_context)
            o.telemetry_metadata = options_.trace_context();
        open.result->id = id;
        open.result->queue = qualified;
        open.result->children.resize(node.children.size());
        for (std::size_t i = 0; i < node.children.size(); ++i)
            open_.push_back({std::move(node.children[i]), &open.result->children[i],
                             (open.place == "root" ? std::string{} : open.place + ".") + "children[" +
                                 std::to_string(i) + "]",
                             false, parent_options{id, qualified}});

        flow_plan::job job;
        job.base = base_of(qualified + ":");
        job.place = std::move(open.place);
        job.id = id;
        job.opts = options_to_json(o);
        job.timestamp = std::to_string(o.timestamp_ms.value_or(timestamp_ms_));
        job.delay = std::to_string(o.delay.count());
        job.priority = std::to_string(o.priority);
        job.side = side_word(o, is_parent);
        job.name = std::move(node.name);
        job.data = std::move(node.data);
        job.result = open.result;
        plan_.jobs.push_back(std::move(job));
    }

    /// A script works on one slot.
    void check_slot(const std::string& place, const std::string& queue) {
        const auto base = queue + ":";
        if (slot_tag_.empty()) slot_tag_ = slot_tag(base);
        if (is_cluster_ && slot_tag(base) != slot_tag_)
            refuse(place, "queue", queue, "the {tag} of the flow's other queues, as a cluster needs");
    }

    std::size_t base_of(const std::string& base) {
        auto& all = plan_.bases;
        const auto found = std::find(all.begin(), all.end(), base);
        const auto position = found - all.begin();
        if (found == all.end()) all.push_back(base);
        return static_cast<std::size_t>(position) + 1;
    }

    const queue_defaults& defaults_;
    const flow_options& options_;
    json_checker& json_;
    bool is_cluster_;
    std::int64_t timestamp_ms_;
    std::deque<open_node> open_;
    std::set<std::string> keys_;
    std::string slot_tag_;
    flow_plan plan_;
};

} // namespace

flow_plan plan_flows(std::vector<flow_node> roots, const queue_defaults& defaults,
                     const flow_options& options, json_checker& json, bool is_cluster) {
    return planner{defaults, options, json, is_cluster}.plan(std::move(roots));
}

} // namespace tiktrend::queue
