#include "flow_plan.hpp"
#include "slot_tag.hpp"
#include "stored_options.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

TEST_CASE("a key's slot is decided by its first tag that is not empty", "[unit][queue][flow]") {
    CHECK(slot_tag("bull:a:") == "bull:a:");
    CHECK(slot_tag("{bull}:a:") == "bull");
    CHECK(slot_tag("bull:{a}:{b}") == "a");
    CHECK(slot_tag("bull:{}:{b}") == "bull:{}:{b}");
    CHECK(slot_tag("bull:{a") == "bull:{a");
}

flow_node tree() {
    flow_node root{"n", "a"};
    root.children.emplace_back("n", "b");
    root.children.emplace_back("n", "a");
    return root;
}

std::string plan(const std::string& prefix, bool is_cluster, std::optional<parent_options> parent = {}) {
    flow_options options;
    options.prefix = prefix;
    json_checker json;
    auto root = tree();
    root.options.parent = std::move(parent);
    std::vector<flow_node> roots;
    roots.push_back(std::move(root));
    try {
        const auto p = plan_flows(std::move(roots), {}, options, json, is_cluster);
        std::string out;
        for (const auto& base : p.bases)
            out += base + " ";
        for (const auto& job : p.jobs)
            out += std::to_string(job.base);
        return out;
    } catch (const system_error& e) {
        return e.what();
    }
}

TEST_CASE("a flow is planned level by level over its queues", "[unit][queue][flow]") {
    CHECK(plan("bull", false) == "bull:a: bull:b: 121");
}

TEST_CASE("on a cluster the queues of a flow share a tag", "[unit][queue][flow]") {
    CHECK(plan("{bull}", true) == "{bull}:a: {bull}:b: 121");
    CHECK(plan("bull", true).find("children[0].queue = bull:b: expected the {tag}") != std::string::npos);
    CHECK(plan("{bull}", true, parent_options{"p", "other:up"}).find("other:up") != std::string::npos);
    CHECK(plan("{bull}", true, parent_options{"p", "{bull}:up"}).starts_with("{bull}:a:"));
}

} // namespace
} // namespace tiktrend::queue
