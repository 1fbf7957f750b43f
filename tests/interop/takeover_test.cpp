// A worker dies in mid-job; the other library's stalled check finds the job, and its worker finishes it.
#include "actor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;

namespace {

/// Short, so that a lock expires and is found missing within seconds, yet long enough for a busy machine to
/// renew it.
json::object hasty(int concurrency) {
    return {{"concurrency", concurrency},
            {"lockDuration", 1500},
            {"stalledInterval", 700},
            {"maxStalledCount", 3}};
}

} // namespace

TEST_CASE("the jobs of a killed worker are finished by the other library", "[interop][takeover]") {
    const auto node = GENERATE(library::node6, library::node5);
    const bool kill_ours = GENERATE(true, false);
    const auto victim_library = kill_ours ? library::ours : node;
    const auto heir_library = kill_ours ? node : library::ours;
    CAPTURE(victim_library, heir_library);
    auto& heir = actor::shared(heir_library);
    const auto queue = fresh_queue("takeover");

    actor victim{victim_library};
    worker_of dying{victim, queue, hasty(10)};
    std::vector<std::string> ids;
    for (int i = 0; i < 10; ++i)
        ids.push_back(
            add(heir, queue, {{"hold", true}, {"result", i}}, {{"attempts", 1}, {"priority", i % 2}}));
    REQUIRE(poll_until([&] { return heir.call("counts", {{"queue", queue}}).at("active") == 10; }));
    REQUIRE(poll_until([&] { return dying.ran().size() == 10; }));
    victim.kill();
    dying.forget();

    worker_of worker{heir, queue, hasty(10)};
    const bool all = poll_until(
        [&] {
            heir.call("release");
            return heir.call("counts", {{"queue", queue}}).at("completed") == 10;
        },
        std::chrono::seconds{25});
    CAPTURE(heir.call("counts", {{"queue", queue}}));
    REQUIRE(all);
    for (const auto& id : ids) {
        CAPTURE(id);
        const auto seen = job(heir, queue, id);
        CHECK(seen.at("stalled_counter") == 1);
        CHECK(seen.at("attempts_made") == 1); // a stall spends no attempt
        CHECK(seen.at("attempts_started") == 2);
        CHECK(seen.at("processed_by") == json::string{worker.name()});
    }
    auto ran = worker.ran();
    std::sort(ran.begin(), ran.end());
    std::sort(ids.begin(), ids.end());
    CHECK(ran == ids);
}

TEST_CASE("a job that stalls too often fails with BullMQ's reason", "[interop][takeover]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& heir = actor::shared(p.worker);
    const auto queue = fresh_queue("stalls");
    actor victim{p.producer};
    worker_of dying{victim, queue, hasty(1)};
    const auto id = add(heir, queue, {{"hold", true}});
    REQUIRE(reaches(heir, queue, id, "active"));
    victim.kill();
    dying.forget();

    auto options = hasty(1);
    options["maxStalledCount"] = 0;
    worker_of worker{heir, queue, options};
    REQUIRE(reaches(heir, queue, id, "failed"));
    CHECK(job(heir, queue, id).at("reason") == "job stalled more than allowable limit");
    CHECK(worker.ran().empty());
}
