// We add flows, deduplicated jobs and events; Node runs, reads and follows them. The other way round:
// flows_test.cpp.
#include "actor.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;

namespace {

json::object node_of(const std::string& queue, json::object data, json::object opts = {},
                     json::array children = {}) {
    json::object node{
        {"name", "n"}, {"queueName", queue}, {"data", std::move(data)}, {"opts", std::move(opts)}};
    if (!children.empty()) node["children"] = std::move(children);
    return node;
}

std::string child_id(const json::value& flow, std::size_t i) {
    return std::string{flow.at("children").at(i).at("id").as_string()};
}

} // namespace

TEST_CASE("Node runs the flows that we add", "[interop][trees]") {
    const auto node = GENERATE(library::node6, library::node5);
    CAPTURE(node);
    auto& us = actor::shared(library::ours);
    auto& them = actor::shared(node);
    const auto parents = fresh_queue("parents"), children = fresh_queue("children");
    const auto flow =
        us.call("add_flow", {{"flow", node_of(parents, {{"result", "root"}}, {},
                                              {node_of(children, {{"result", 1}}),
                                               node_of(parents, {{"result", "middle"}}, {{"priority", 2}},
                                                       {node_of(children, {{"result", 2}})})})}});
    const std::string root{flow.at("id").as_string()};
    CHECK(state(them, parents, root) == "waiting-children");
    const auto seen = them.call("flow", {{"queue", parents}, {"id", root}});
    CHECK(seen.at("children").as_array().size() == 2);
    worker_of parent_worker{them, parents};
    worker_of child_worker{them, children};
    REQUIRE(reaches(us, parents, root, "completed"));
    const auto values = them.call("children_values", {{"queue", parents}, {"id", root}}).as_object();
    CHECK(values.at("bull:" + children + ":" + child_id(flow, 0)) == 1);
    CHECK(values.at("bull:" + parents + ":" + child_id(flow, 1)) == "middle");
    CHECK(parent_worker.ran() == std::vector<std::string>{child_id(flow, 1), root});
    const auto ours = us.call("flow", {{"queue", parents}, {"id", root}});
    CHECK(ours.at("state") == "completed");
    CHECK(ours.at("children").as_array().size() == 2);
}

TEST_CASE("each failure policy that we set is obeyed by Node", "[interop][trees]") {
    struct rule {
        const char* option;
        const char* parent_ends;
    };
    const auto r = GENERATE(
        rule{"failParentOnFailure", "failed"}, rule{"ignoreDependencyOnFailure", "completed"},
        rule{"removeDependencyOnFailure", "completed"}, rule{"continueParentOnFailure", "completed"});
    CAPTURE(r.option);
    auto& us = actor::shared(library::ours);
    auto& them = actor::shared(library::node6);
    const auto parents = fresh_queue("parents"), children = fresh_queue("children");
    const auto flow =
        us.call("add_flow", {{"flow", node_of(parents, {{"result", "root"}}, {},
                                              {node_of(children, {{"fail_times", 9}, {"reason", "broke"}},
                                                       {{r.option, true}})})}});
    worker_of child_worker{them, children};
    worker_of parent_worker{them, parents};
    REQUIRE(reaches(us, parents, std::string{flow.at("id").as_string()}, r.parent_ends));
}

TEST_CASE("a child added at run time holds its parent up in both worlds", "[interop][trees]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& adder = actor::shared(p.producer);
    const auto parents = fresh_queue("parents"), children = fresh_queue("children");
    const auto flow = actor::shared(p.worker).call(
        "add_flow",
        {{"flow", node_of(parents, {{"result", "root"}}, {}, {node_of(children, {{"result", 1}})})}});
    const std::string root{flow.at("id").as_string()};
    const auto late =
        add(adder, children, {{"result", 2}}, {{"parent", {{"id", root}, {"queue", "bull:" + parents}}}});
    worker_of parent_worker{actor::shared(p.worker), parents};
    worker_of child_worker{actor::shared(p.worker), children};
    REQUIRE(reaches(adder, parents, root, "completed"));
    CHECK(child_worker.ran().size() == 2);
    CHECK(state(adder, children, late) == "completed");
}

TEST_CASE("a deduplication id is shared by both clients", "[interop][trees]") {
    const auto p = GENERATE(
        from_range(std::vector<pairing>{{library::ours, library::node6}, {library::node6, library::ours}}));
    CAPTURE(p);
    auto& first = actor::shared(p.producer);
    auto& second = actor::shared(p.worker);
    const auto queue = fresh_queue("once");
    const auto debounce = [&](actor& who, int n) {
        return add(who, queue, {{"result", n}},
                   {{"delay", 60'000},
                    {"deduplication", {{"id", "d"}, {"ttl", 60'000}, {"extend", true}, {"replace", true}}}});
    };
    const auto a = debounce(first, 1), b = debounce(second, 2);
    CHECK(a != b);
    CHECK_THROWS(job(first, queue, a)); // replaced
    second.call("promote", {{"queue", queue}, {"id", b}});
    CHECK(debounce(first, 3) == b); // no longer delayed: suppressed

    const auto last = fresh_queue("last");
    const auto keep_last = [&](actor& who, int n, bool hold = false) {
        json::object data{{"result", n}};
        if (hold) data["hold"] = true;
        return add(who, last, data, {{"deduplication", {{"id", "d"}, {"keepLastIfActive", true}}}});
    };
    worker_of worker{second, last};
    const auto owner = keep_last(first, 1, true);
    REQUIRE(reaches(first, last, owner, "active"));
    CHECK(keep_last(second, 2) == owner);
    CHECK(keep_last(first, 3) == owner);
    // A hold is opened for those that are there by then.
    REQUIRE(poll_until(
        [&] {
            second.call("release");
            return first.call("counts", {{"queue", last}}).at("completed") == 2;
        },
        std::chrono::seconds{15}));
    CHECK(job(first, last, worker.ran().back()).at("result") == 3);
}

TEST_CASE("Node hears the events that we publish", "[interop][trees]") {
    const auto node = GENERATE(library::node6, library::node5);
    auto& us = actor::shared(library::ours);
    auto& them = actor::shared(node);
    const auto queue = fresh_queue("events");
    us.call("open", {{"queue", queue}});
    them.call("watch_events", {{"queue", queue}});
    us.call("publish_event",
            {{"queue", queue}, {"name", "price-drop"}, {"fields", {{"sku", "7"}, {"jobId", "j"}}}});
    json::array seen;
    REQUIRE(poll_until(
        [&] {
            seen = them.call("events", {{"queue", queue}}).as_array();
            return !seen.empty();
        },
        std::chrono::seconds{15}));
    CHECK(seen.back().at("event") == "price-drop");
    CHECK(seen.back().at("sku") == "7");
}
