// Node adds a flow; our worker runs the children (and the parent), so our scripts release the parent.
#include "actor.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;

namespace {

struct flow {
    std::string parent;
    std::vector<std::string> children;
};

json::object node_of(const std::string& queue, json::object data, json::object opts = {},
                     json::array children = {}) {
    json::object node{
        {"name", "n"}, {"queueName", queue}, {"data", std::move(data)}, {"opts", std::move(opts)}};
    if (!children.empty()) node["children"] = std::move(children);
    return node;
}

flow add_flow(actor& who, json::object tree) {
    const auto ids = who.call("add_flow", {{"flow", std::move(tree)}});
    flow f{std::string{ids.at("id").as_string()}, {}};
    for (const auto& child : ids.at("children").as_array())
        f.children.emplace_back(child.at("id").as_string());
    return f;
}

} // namespace

TEST_CASE("the last child that we process releases the parent with all values", "[interop][flows]") {
    const auto node = GENERATE(library::node6, library::node5);
    const auto parent_runner = GENERATE(library::ours, library::node6);
    CAPTURE(node, parent_runner);
    auto& theirs = actor::shared(node);
    const auto parents = fresh_queue("parents");
    const auto children = fresh_queue("children");
    json::object parent_opts;
    if (parent_runner == library::ours) parent_opts["priority"] = 3;
    const auto f =
        add_flow(theirs, node_of(parents, {{"result", "parent"}}, parent_opts,
                                 {node_of(children, {{"result", 1}}), node_of(children, {{"result", 2}}),
                                  node_of(children, {{"result", 3}, {"fail_times", 1}, {"reason", "once"}},
                                          {{"attempts", 2}})}));
    CHECK(state(theirs, parents, f.parent) == "waiting-children");
    CHECK(actor::shared(library::ours).call("counts", {{"queue", parents}}).at("waiting-children") == 1);
    worker_of parent_worker{actor::shared(parent_runner), parents};
    worker_of child_worker{actor::shared(library::ours), children};
    REQUIRE(reaches(theirs, parents, f.parent, "completed"));
    CHECK(child_worker.ran().size() == 4);
    CHECK(parent_worker.ran() == std::vector<std::string>{f.parent});
    const auto values = theirs.call("children_values", {{"queue", parents}, {"id", f.parent}}).as_object();
    REQUIRE(values.size() == 3);
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(values.at("bull:" + children + ":" + f.children[i]) == static_cast<std::int64_t>(i + 1));
}

TEST_CASE("a child that fails with us acts on the parent as its options say", "[interop][flows]") {
    struct rule {
        const char* option;
        const char* parent_ends;
    };
    const auto r = GENERATE(
        rule{"failParentOnFailure", "failed"}, rule{"ignoreDependencyOnFailure", "completed"},
        rule{"removeDependencyOnFailure", "completed"}, rule{"continueParentOnFailure", "completed"});
    const auto node = GENERATE(library::node6, library::node5);
    CAPTURE(r.option, node);
    auto& theirs = actor::shared(node);
    const auto parents = fresh_queue("parents");
    const auto children = fresh_queue("children");
    const auto f = add_flow(theirs, node_of(parents, {{"result", "parent"}}, {},
                                            {node_of(children, {{"fail_times", 9}, {"reason", "child broke"}},
                                                     {{r.option, true}})}));
    worker_of child_worker{actor::shared(library::ours), children};
    worker_of parent_worker{actor::shared(library::ours), parents};
    REQUIRE(reaches(theirs, children, f.children.at(0), "failed"));
    REQUIRE(reaches(theirs, parents, f.parent, r.parent_ends));
    if (std::string_view{r.parent_ends} == "failed") {
        CHECK(job(theirs, parents, f.parent).at("reason") ==
              json::string{"child bull:" + children + ":" + f.children.at(0) + " failed"});
        CHECK(parent_worker.ran().empty());
    }
}

TEST_CASE("a child without a flag that fails keeps the parent waiting until it succeeds",
          "[interop][flows]") {
    const auto node = library::node6; // v5 leaves the parent's dependencies alone when a child is retried
    auto& theirs = actor::shared(node);
    const auto parents = fresh_queue("parents");
    const auto children = fresh_queue("children");
    const auto f = add_flow(
        theirs, node_of(parents, json::object{}, {},
                        {node_of(children, {{"fail_times", 1}, {"reason", "once"}, {"result", 7}})}));
    worker_of child_worker{actor::shared(library::ours), children};
    worker_of parent_worker{actor::shared(library::ours), parents};
    REQUIRE(reaches(theirs, children, f.children.at(0), "failed"));
    CHECK(state(theirs, parents, f.parent) == "waiting-children");
    const auto retrier = GENERATE(library::ours, library::node6);
    CAPTURE(retrier);
    actor::shared(retrier).call("retry", {{"queue", children}, {"id", f.children.at(0)}, {"from", "failed"}});
    REQUIRE(reaches(theirs, parents, f.parent, "completed"));
    CHECK(theirs.call("children_values", {{"queue", parents}, {"id", f.parent}})
              .as_object()
              .at("bull:" + children + ":" + f.children.at(0)) == 7);
}
