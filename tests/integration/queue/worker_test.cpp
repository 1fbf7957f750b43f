#include "worker_fixture.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

TEST_CASE("a worker runs what a queue adds and stores the results", "[integration][queue]") {
    worker_fixture f;
    queue::worker_options options;
    options.concurrency = 10;
    options.name = "node-1";
    f.run(
        options,
        [](queue::active_job& job) -> task<std::string> { co_return "{\"got\":" + job.record().data + "}"; },
        [](worker_fixture& w) -> task<void> {
            for (int i = 0; i < 200; ++i)
                co_await w.queue().add({"paint", std::to_string(i)});
            co_await w.outcomes(200);
            const auto counts = co_await w.queue().counts();
            CHECK(counts.completed == 200);
            CHECK(counts.active == 0);
            CHECK(counts.waiting == 0);
            const auto job = co_await w.queue().get_job("7");
            REQUIRE(job);
            CHECK(job->return_value == "{\"got\":6}");
            CHECK(job->attempts_made == 1);
            CHECK(job->attempts_started == 1);
            CHECK(job->processed_by == "node-1");
        });
}

} // namespace
} // namespace tiktrend::testing
