#include "jobs/job_table.hpp"

#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;

namespace {

class fake_job final : public queue::active_job {
public:
    explicit fake_job(std::string name) { record_.name = std::move(name); }
    task<void> update_progress(std::string) override { co_return; }
    task<void> update_data(std::string) override { co_return; }
    task<void> log(std::string) override { co_return; }
    task<queue::child_results> children_values() override { co_return queue::child_results{}; }
    task<queue::child_results> ignored_children_failures() override { co_return queue::child_results{}; }
    task<bool> move_to_waiting_children(std::string) override { co_return false; }
    task<void> rate_limit(std::chrono::milliseconds) override { co_return; }
    task<void> rate_limit_group(std::chrono::milliseconds) override { co_return; }
    bool should_stop() const noexcept override { return false; }
    std::stop_token stop_token() override { return {}; }
    std::string_view stop_reason() const noexcept override { return {}; }
};

task<std::string> greet(queue::active_job& job) {
    co_return '"' + job.record().name + '"';
}

} // namespace

TEST_CASE("a job runs by its name, an unknown name fails for good", "[unit][worker]") {
    auto body = []() -> task<void> {
        worker::job_table table;
        table.add("greet", greet);
        fake_job known{"greet"};
        CHECK(co_await table.run(known) == "\"greet\"");
        fake_job unknown{"other"};
        std::string reason;
        try {
            co_await table.run(unknown);
        } catch (const queue::unrecoverable_error& e) {
            reason = e.what();
        }
        CHECK(reason == "unknown job name \"other\"; expected greet");
    };
    testing::run_coroutine(body());
}
