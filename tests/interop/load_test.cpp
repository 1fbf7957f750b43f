// Both libraries add to one queue and both process it: every job runs, and none twice.
#include "actor.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <map>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;

TEST_CASE("two libraries share one queue under load without losing or repeating a job", "[interop][load]") {
    const auto node = GENERATE(library::node6, library::node5);
    CAPTURE(node);
    const int rounds = std::getenv("TIKTREND_LONG_TESTS") ? 40 : 4;
    constexpr int batch = 500;
    auto& theirs = actor::shared(node);
    auto& ours = actor::shared(library::ours);
    const auto queue = fresh_queue("load");
    worker_of their_worker{theirs, queue, {{"concurrency", 20}}};
    worker_of our_worker{ours, queue, {{"concurrency", 20}}};

    std::map<std::string, int> expected; // id → attempts
    for (int round = 0; round < rounds; ++round) {
        // Every kind at once: plain, prioritized, delayed, and some that fail at their first attempt.
        json::array jobs;
        for (int i = 0; i < batch; ++i) {
            json::object opts{{"attempts", 2}};
            if (i % 5 == 1) opts["priority"] = 1 + i % 7;
            if (i % 5 == 2) opts["delay"] = i % 50;
            json::object data{{"result", i}};
            if (i % 10 == 3) data["fail_times"] = 1, data["reason"] = "first attempt fails";
            jobs.push_back(
                json::object{{"name", "load"}, {"data", std::move(data)}, {"opts", std::move(opts)}});
        }
        const auto by_them = theirs.send("add_bulk", {{"queue", queue}, {"jobs", jobs}});
        const auto by_us = ours.send("add_bulk", {{"queue", queue}, {"jobs", jobs}});
        for (const auto& ids : {theirs.receive(by_them), ours.receive(by_us)})
            for (int i = 0; i < batch; ++i)
                expected[std::string{ids.at(static_cast<std::size_t>(i)).as_string()}] = i % 10 == 3 ? 2 : 1;
    }
    const auto total = static_cast<std::int64_t>(expected.size());
    REQUIRE(total == 2LL * rounds * batch); // ids of two producers never meet

    const bool all = poll_until(
        [&] {
            return ours.call("counts", {{"queue", queue}}).at("completed").to_number<std::int64_t>() == total;
        },
        std::chrono::seconds{120});
    CAPTURE(ours.call("counts", {{"queue", queue}}));
    REQUIRE(all);

    std::map<std::string, int> ran;
    const auto mine = our_worker.ran();
    const auto their = their_worker.ran();
    for (const auto* list : {&mine, &their})
        for (const auto& id : *list)
            ++ran[id];
    CHECK(ran == expected);
    CHECK(mine.size() > static_cast<std::size_t>(total) / 20);
    CHECK(their.size() > static_cast<std::size_t>(total) / 20);
    const auto left = theirs.call("counts", {{"queue", queue}}).as_object();
    for (const auto* name : {"waiting", "active", "delayed", "prioritized", "failed"})
        CHECK(left.at(name) == 0);
}
