// removeOnComplete and removeOnFail, from the job and from the worker; the job's wins.
#include "actor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;

namespace {

/// Adds `n` jobs, waits until all have finished, and gives the ids that are still kept, oldest first.
std::vector<std::string> kept(const pairing& p, int n, bool fail, json::object job_opts,
                              json::object worker_options) {
    auto& producer = actor::shared(p.producer);
    const auto queue = fresh_queue("keep");
    const auto state = fail ? "failed" : "completed";
    worker_of worker{actor::shared(p.worker), queue, std::move(worker_options)};
    for (int i = 0; i < n; ++i)
        add(producer, queue, {{"fail_times", fail ? 9 : 0}, {"reason", "kept?"}}, job_opts);
    const auto last =
        add(producer, queue, {}, {{"removeOnComplete", false}}, "last"); // runs after all others
    REQUIRE(reaches(producer, queue, last, "completed"));
    std::vector<std::string> ids;
    const auto mine = producer.call("ids", {{"queue", queue}, {"state", state}});
    CHECK(mine == actor::shared(p.worker).call("ids", {{"queue", queue}, {"state", state}}));
    for (const auto& id : mine.as_array())
        if (id.as_string() != json::string_view{last}) ids.emplace_back(id.as_string());
    // What is not kept leaves no key behind.
    for (int i = 1; i <= n; ++i) {
        const auto id = std::to_string(i);
        const bool listed = std::find(ids.begin(), ids.end(), id) != ids.end();
        CHECK(tiktrend::testing::redis_server::shared().command({"EXISTS", "bull:" + queue + ":" + id}) ==
              (listed ? "1" : "0"));
    }
    return ids;
}

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("jobs say how many of them are kept", "[interop][keep]") {
    const auto p = GENERATE(from_range(both_ways()));
    const bool fail = GENERATE(false, true);
    CAPTURE(p, fail);
    const auto* option = fail ? "removeOnFail" : "removeOnComplete";
    CHECK(kept(p, 3, fail, {}, {}) == lines{"1", "2", "3"});
    CHECK(kept(p, 3, fail, {{option, true}}, {}).empty());
    CHECK(kept(p, 5, fail, {{option, 2}}, {}) == lines{"4", "5"});
    CHECK(kept(p, 3, fail, {{option, {{"age", 3600}, {"count", 2}}}}, {}) == lines{"2", "3"});
}

TEST_CASE("the worker says it for jobs that do not", "[interop][keep]") {
    const auto p = GENERATE(from_range(both_ways()));
    const bool fail = GENERATE(false, true);
    CAPTURE(p, fail);
    const auto* option = fail ? "removeOnFail" : "removeOnComplete";
    CHECK(kept(p, 3, fail, {}, {{option, {{"count", 0}}}}).empty());
    CHECK(kept(p, 4, fail, {}, {{option, {{"count", 1}}}}) == lines{"4"});
    CHECK(kept(p, 3, fail, {{option, false}}, {{option, {{"count", 0}}}}) == lines{"1", "2", "3"});
}
