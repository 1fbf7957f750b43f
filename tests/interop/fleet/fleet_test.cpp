// Node's BullMQ 6.7.0 and 5.81.5 and ours add and run random jobs on one queue, and are killed at random. At
// the end every job is accounted for, from the event stream and the keys.
//
//   TIKTREND_SEED=n           only this seed (a failure prints it)
//   TIKTREND_LONG_TESTS=1     more seeds and more jobs
#include "history.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>

using namespace tiktrend::interop;
using tiktrend::testing::poll_until;

namespace {

/// Two schedulers that end by themselves, one of each library; how many jobs each makes.
constexpr int ticks = 6, strikes = 3;
void add_schedulers(actor& node, actor& ours, const std::string& queue) {
    const json::object jobs{{"name", "tick"}, {"data", json::object{{"result", 1}}}};
    node.call("upsert_scheduler", {{"queue", queue},
                                   {"id", "tick"},
                                   {"repeat", json::object{{"every", 300}, {"limit", ticks}}},
                                   {"template", jobs}});
    ours.call("upsert_scheduler",
              {{"queue", queue},
               {"id", "strike"},
               {"repeat", json::object{{"pattern", "* * * * * *"}, {"tz", "UTC"}, {"limit", strikes}}},
               {"template", jobs}});
}

std::int64_t completed_by(const std::vector<past_event>& history, std::string_view scheduler) {
    const auto prefix = "repeat:" + std::string{scheduler} + ":";
    return std::count_if(history.begin(), history.end(), [&](const past_event& e) {
        return e.name == "completed" && e.job_id.starts_with(prefix);
    });
}

/// A process with one worker, which may be killed; another takes its place.
class member {
public:
    member(library which, std::string queue, json::object options)
        : which_{which}, queue_{std::move(queue)}, options_{std::move(options)} {
        start();
    }
    ~member() {
        if (worker_) worker_->stop();
    }

    actor& who() { return *actor_; }
    library which() const noexcept { return which_; }

    void kill_and_replace() {
        actor_->kill();
        worker_->forget();
        worker_.reset();
        actor_.reset();
        start();
    }

private:
    void start() {
        actor_ = std::make_unique<actor>(which_);
        actor_->call("open", {{"queue", queue_}});
        worker_ = std::make_unique<worker_of>(*actor_, queue_, options_);
    }

    library which_;
    std::string queue_;
    json::object options_;
    std::unique_ptr<actor> actor_;
    std::unique_ptr<worker_of> worker_;
};

std::string joined(const std::vector<std::string>& lines) {
    std::string out;
    for (const auto& line : lines)
        out += "\n  " + line;
    return out;
}

void run_fleet(std::uint64_t seed, int steps, json::object worker_options) {
    const auto queue = fresh_queue("fleet");
    CAPTURE(seed);
    worker_options["lockDuration"] = 2000;
    worker_options["stalledInterval"] = 1000;
    worker_options["maxStalledCount"] = 100; // kills are the test's doing, not the jobs'
    std::vector<std::unique_ptr<member>> fleet;
    for (const auto which : {library::node6, library::ours, library::node5, library::ours})
        fleet.push_back(std::make_unique<member>(which, queue, worker_options));
    workload work{queue, seed};
    add_schedulers(fleet[0]->who(), fleet[1]->who(), queue);
    const auto anyone = [&]() -> member& { return *fleet[static_cast<std::size_t>(work.below(4))]; };
    for (int i = 0; i < steps; ++i) {
        const auto roll = work.below(40);
        if (roll < 34)
            work.add(anyone().who());
        else if (roll < 38)
            work.add_flow(anyone().who());
        else if (i > steps / 4)
            anyone().kill_and_replace();
        if (i % 5 == 0) {
            const auto wrong = misplaced(queue);
            INFO(joined(wrong));
            REQUIRE(wrong.empty());
        }
    }
    anyone().kill_and_replace(); // with what it holds
    const bool ended = poll_until([&] { return is_quiet(queue); }, std::chrono::seconds{60});
    CHECK(ended);
    const auto wrong = misplaced(queue);
    INFO("misplaced:" << joined(wrong));
    CHECK(wrong.empty());
    const auto history = read_history(queue);
    CHECK(completed_by(history, "tick") == ticks);
    CHECK(completed_by(history, "strike") == strikes);
    const auto violations = violations_of(history, work, queue);
    INFO("of " << work.accepted().size() << " jobs:" << joined(violations));
    CHECK(violations.empty());
}

std::uint64_t first_seed() {
    const auto* only = std::getenv("TIKTREND_SEED");
    return only ? std::stoull(only) : std::random_device{}();
}

int rounds() {
    return std::getenv("TIKTREND_SEED") ? 1 : std::getenv("TIKTREND_LONG_TESTS") ? 8 : 1;
}

} // namespace

TEST_CASE("a mixed fleet that is killed at random accounts for every job once", "[interop][fleet]") {
    const auto first = first_seed();
    for (int i = 0; i < rounds(); ++i)
        run_fleet(first + static_cast<std::uint64_t>(i), std::getenv("TIKTREND_LONG_TESTS") ? 400 : 150,
                  {{"concurrency", 4}});
}

TEST_CASE("a mixed fleet under one rate limit accounts for every job once", "[interop][fleet]") {
    const auto first = first_seed();
    for (int i = 0; i < rounds(); ++i)
        run_fleet(first + static_cast<std::uint64_t>(i), 40,
                  {{"concurrency", 4}, {"limiter", {{"max", 10}, {"duration", 100}}}});
}
