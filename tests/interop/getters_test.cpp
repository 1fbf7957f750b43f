// Node's getters and ours tell the same about one queue.
#include "actor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;

TEST_CASE("both libraries describe jobs of every state alike", "[interop][getters]") {
    const auto node = GENERATE(library::node6, library::node5);
    const auto runner = GENERATE(library::ours, library::node6);
    CAPTURE(node, runner);
    auto& theirs = actor::shared(node);
    auto& ours = actor::shared(library::ours);
    auto& run = actor::shared(runner);
    const auto queue = fresh_queue("getters");

    std::vector<std::string> ids;
    const auto add_pair = [&](json::object data, json::object opts) {
        ids.push_back(add(theirs, queue, data, opts));
        ids.push_back(add(ours, queue, data, opts));
    };
    {
        worker_of worker{run, queue, {{"concurrency", 2}}};
        add_pair({{"result", {1, 2}}, {"progress", {10, 20}}, {"logs", {"a", "b"}}}, {{"keepLogs", 5}});
        add_pair({{"fail_times", 9}, {"reason", "broken"}}, {{"attempts", 2}, {"backoff", 5}});
        add_pair({{"result", "x"}}, {{"jobId", "own"}}); // the second one is a duplicate
        for (const auto& id : ids)
            REQUIRE(poll_until([&] { return job(ours, queue, id).at("finished") == true; },
                               std::chrono::seconds{15}));
        add_pair({{"hold", true}}, {});
        REQUIRE(reaches(ours, queue, ids.back(), "active"));
        REQUIRE(reaches(ours, queue, ids[ids.size() - 2], "active"));
        add_pair({}, {{"delay", 3600000}});
        add_pair({}, {{"priority", 9}});
        add_pair({}, {{"priority", 2}});
        add_pair({{"plain", true}}, {});

        CHECK(theirs.call("counts", {{"queue", queue}}) == ours.call("counts", {{"queue", queue}}));
        for (const auto* name : {"wait", "active", "completed", "failed", "delayed", "prioritized"}) {
            CAPTURE(name);
            const std::string our_name = std::string_view{name} == "wait" ? "waiting" : name;
            CHECK(theirs.call("ids", {{"queue", queue}, {"state", name}}) ==
                  ours.call("ids", {{"queue", queue}, {"state", our_name}}));
        }
        for (const auto& id : ids) {
            CAPTURE(id);
            CHECK(job(theirs, queue, id) == job(ours, queue, id));
            const json::object which{{"queue", queue}, {"id", id}};
            CHECK(theirs.call("logs", which) == ours.call("logs", which));
        }
        run.call("release");
    }
}

TEST_CASE("Node's getWorkers sees our workers, and names them", "[interop][getters]") {
    const auto node = GENERATE(library::node6, library::node5);
    CAPTURE(node);
    auto& theirs = actor::shared(node);
    const auto queue = fresh_queue("workers");
    const auto listed = [&] {
        std::vector<std::string> names;
        const auto workers = theirs.call("workers", {{"queue", queue}});
        for (const auto& name : workers.as_array())
            names.emplace_back(name.as_string());
        std::sort(names.begin(), names.end());
        return names;
    };
    {
        worker_of mine{actor::shared(library::ours), queue};
        worker_of their{theirs, queue};
        REQUIRE(poll_until([&] { return listed().size() == 2; }));
        const auto names = listed();
        CHECK_THAT(names.at(0), Catch::EndsWith(":w:" + mine.name()));
        CHECK_THAT(names.at(1), Catch::EndsWith(":w:" + their.name()));
    }
    CHECK(poll_until([&] { return listed().empty(); }));
}

TEST_CASE("a job removed by one library is gone for the other", "[interop][getters]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& remover = actor::shared(p.producer);
    auto& other = actor::shared(p.worker);
    const auto queue = fresh_queue("removed");
    const std::vector<std::string> ids{add(other, queue), add(other, queue, {}, {{"delay", 3600000}}),
                                       add(other, queue, {}, {{"priority", 4}})};
    for (const auto& id : ids)
        remover.call("remove", {{"queue", queue}, {"id", id}});
    for (const auto& id : ids)
        CHECK_THROWS(job(other, queue, id));
    const auto counts = other.call("counts", {{"queue", queue}}).as_object();
    for (const auto& [name, value] : counts)
        CHECK(value == 0);
}
