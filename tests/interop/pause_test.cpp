// Pausing and resuming across libraries and versions (the hazards of mixing v5 with others are in docs; what
// must work is here).
#include "actor.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::interop;

namespace {

using lines = std::vector<std::string>;

/// Runs a marker job of another queue to its end, so that a worker had its chance to take a job it must not
/// take.
void give_chance(actor& who) {
    const auto queue = fresh_queue("chance");
    worker_of worker{who, queue};
    REQUIRE(reaches(who, queue, add(who, queue), "completed"));
}

} // namespace

TEST_CASE("a pause holds the workers of both libraries until the other one resumes", "[interop][pause]") {
    const bool we_pause = GENERATE(true, false);
    const auto node = library::node6;
    const auto runner = GENERATE(library::ours, library::node6);
    CAPTURE(we_pause, runner);
    auto& pauser = actor::shared(we_pause ? library::ours : node);
    auto& resumer = actor::shared(we_pause ? node : library::ours);
    const auto queue = fresh_queue("pause");
    worker_of worker{actor::shared(runner), queue};
    pauser.call("pause", {{"queue", queue}});
    CHECK(resumer.call("is_paused", {{"queue", queue}}) == true);

    const lines ids{add(pauser, queue), add(resumer, queue), add(pauser, queue, {}, {{"priority", 3}})};
    give_chance(actor::shared(runner));
    CHECK(worker.ran().empty());
    for (auto* reader : {&pauser, &resumer}) {
        const auto counts = reader->call("counts", {{"queue", queue}});
        CHECK(counts.at("waiting") == 2);
        CHECK(counts.at("prioritized") == 1);
    }

    resumer.call("resume", {{"queue", queue}});
    CHECK(pauser.call("is_paused", {{"queue", queue}}) == false);
    REQUIRE(reaches(pauser, queue, ids.back(), "completed"));
    CHECK(worker.ran() == ids);
}

TEST_CASE("a job that runs when the queue is paused ends, and its retry waits", "[interop][pause]") {
    const auto p = GENERATE(from_range(both_ways()));
    CAPTURE(p);
    auto& pauser = actor::shared(p.producer);
    auto& consumer = actor::shared(p.worker);
    if (p.producer == library::node5 || p.worker == library::node5)
        return; // v5 moves retries to `paused`; see below
    const auto queue = fresh_queue("pause-active");
    worker_of worker{consumer, queue};
    const auto id =
        add(pauser, queue, {{"hold", true}, {"fail_times", 1}, {"reason", "again"}}, {{"attempts", 2}});
    REQUIRE(reaches(pauser, queue, id, "active"));
    pauser.call("pause", {{"queue", queue}});
    consumer.call("release");
    REQUIRE(reaches(pauser, queue, id, "waiting"));
    give_chance(consumer);
    CHECK(state(pauser, queue, id) == "waiting");
    pauser.call("resume", {{"queue", queue}});
    REQUIRE(reaches(pauser, queue, id, "active"));
    consumer.call("release");
    CHECK(reaches(pauser, queue, id, "completed"));
}

TEST_CASE("what v5 has paused is seen, counted and resumed by us in its order", "[interop][pause]") {
    auto& v5 = actor::shared(library::node5);
    auto& ours = actor::shared(library::ours);
    const auto queue = fresh_queue("v5-pause");
    const auto first = add(v5, queue);
    v5.call("pause", {{"queue", queue}}); // renames wait to paused
    const auto second = add(v5, queue);   // goes to paused
    const auto third = add(ours, queue);  // goes to wait
    CHECK(ours.call("is_paused", {{"queue", queue}}) == true);
    CHECK(ours.call("counts", {{"queue", queue}}).at("waiting") == 3);
    for (const auto& id : {first, second, third})
        CHECK(state(ours, queue, id) == "waiting");

    worker_of worker{ours, queue};
    give_chance(ours);
    CHECK(worker.ran().empty());
    ours.call("resume", {{"queue", queue}});
    REQUIRE(reaches(ours, queue, third, "completed"));
    CHECK(worker.ran() == lines{first, second, third});
}

TEST_CASE("v5 resumes what we have paused", "[interop][pause]") {
    auto& v5 = actor::shared(library::node5);
    auto& ours = actor::shared(library::ours);
    const auto queue = fresh_queue("v5-resume");
    worker_of worker{ours, queue};
    const auto first = add(ours, queue, {{"hold", true}});
    REQUIRE(reaches(ours, queue, first, "active"));
    ours.call("pause", {{"queue", queue}});
    const auto second = add(ours, queue);
    CHECK(v5.call("is_paused", {{"queue", queue}}) == true);
    v5.call("resume", {{"queue", queue}});
    ours.call("release");
    CHECK(reaches(ours, queue, first, "completed"));
    CHECK(reaches(ours, queue, second,
                  "completed")); // at the latest with the next poll: v5 sets no marker here
}
