#include "worker_fixture.hpp"

#include <tiktrend/queue/queue_groups.hpp>

#include <catch2/catch.hpp>

#include <algorithm>

namespace tiktrend::testing {
namespace {

using queue::active_job;
using queue::group_status;
using kind = queue::worker_options::outcome::kind;

queue::job_options in_group(std::string id, std::int32_t priority = 0) {
    queue::job_options o;
    o.group = queue::group_options{std::move(id), priority, {}};
    return o;
}

TEST_CASE("groups give their jobs in turn while workers run", "[integration][queue][group]") {
    worker_fixture f;
    strings order;
    queue::worker_options options;
    options.drain_delay = 5s;
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            order.push_back(job.record().data);
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            w.worker().pause();
            for (const auto* user : {"1", "1", "1", "2", "3"})
                co_await w.queue().add({"paint", user, in_group(user)});
            w.worker().resume();
            co_await w.outcomes(5);
            co_await w.until_at_rest(); // the next add wakes the worker long before its drain delay
            co_await w.queue().add({"paint", "4", in_group("4")});
            co_await w.outcomes(6);
        },
        4s);
    CHECK(order == strings{"1", "2", "3", "1", "1", "4"});
    CHECK(f.count(kind::completed) == 6);
}

TEST_CASE("the concurrency of groups holds under load", "[integration][queue][group]") {
    worker_fixture f;
    queue::worker_options options;
    options.concurrency = 20;
    options.group.concurrency = 2;
    std::map<std::string, int> now;
    int most = 0;
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            auto& mine = now[job.record().data];
            most = std::max(most, ++mine);
            co_await sleep_for(2ms);
            --mine;
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            std::vector<queue::new_job> jobs;
            for (int i = 0; i < 200; ++i) {
                const auto group = std::to_string(i % 5);
                jobs.emplace_back("paint", group, in_group(group));
            }
            co_await w.queue().add_bulk(std::move(jobs));
            co_await w.outcomes(200);
            queue::queue_groups groups{w.queue()};
            const auto counts = co_await groups.counts();
            CHECK(counts.jobs == 0);
            CHECK(counts.waiting + counts.maxed + counts.limited == 0);
        });
    CHECK(most == 2);
    CHECK(f.count(kind::completed) == 200);
}

TEST_CASE("a group's rate limit spreads its starts and holds up nobody else", "[integration][queue][group]") {
    worker_fixture f;
    queue::worker_options options;
    options.concurrency = 10;
    options.group.limit_max = 2;
    options.group.limit_duration = 300ms;
    std::map<std::string, std::vector<std::chrono::steady_clock::time_point>> starts;
    const auto begin = std::chrono::steady_clock::now();
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            starts[job.record().data].push_back(std::chrono::steady_clock::now());
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            for (int i = 0; i < 5; ++i)
                co_await w.queue().add({"paint", "1", in_group("busy")});
            co_await w.queue().add({"paint", "2", in_group("calm")});
            co_await w.outcomes(6);
        });
    REQUIRE(starts["1"].size() == 5);
    CHECK(starts["1"][4] - begin >= 590ms); // three windows: two have to end
    CHECK(starts["2"][0] - begin < 290ms);
}

TEST_CASE("a processor can limit its job's group", "[integration][queue][group]") {
    worker_fixture f;
    std::vector<std::pair<std::string, std::chrono::steady_clock::time_point>> starts;
    queue::worker_options options;
    options.drain_delay = 5s;
    f.run(
        options,
        [&](active_job& job) -> task<std::string> {
            starts.emplace_back(job.record().data, std::chrono::steady_clock::now());
            if (starts.size() == 1) {
                co_await job.rate_limit_group(200ms);
                throw queue::rate_limited_error();
            }
            co_return std::string{};
        },
        [](worker_fixture& w) -> task<void> {
            w.worker().pause();
            co_await w.queue().add({"a", "1", in_group("one")});
            co_await w.queue().add({"a", "2", in_group("two")});
            w.worker().resume();
            co_await w.outcomes(3);
        },
        4s);
    REQUIRE(starts.size() == 3);
    CHECK(starts[1].first == "2"); // the other group is not held up
    CHECK(starts[2].first == "1");
    CHECK(starts[2].second - starts[0].second >= 195ms);
    CHECK(f.field("1", "atm") == "1");
}

TEST_CASE("groups can be paused, limited, configured and looked at", "[integration][queue][group]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        queue::queue_groups groups{q};
        co_await q.add({"a", "1", in_group("g", 3)});
        co_await q.add({"a", "1", in_group("g", 3)});
        co_await q.add({"a", "1", in_group("g")});
        CHECK(co_await groups.jobs("g") == strings{"3", "1", "2"});
        CHECK(co_await groups.counts_per_priority("g", {0, 3, 7}) == std::vector<std::int64_t>{1, 2, 0});
        CHECK((co_await q.get_state("2")) == queue::job_state::waiting);
        CHECK((co_await groups.group("g")).status == group_status::waiting);

        CHECK(co_await groups.pause("g"));
        CHECK_FALSE(co_await groups.pause("g"));
        CHECK((co_await groups.groups(group_status::paused)).at(0).waiting == 3);
        CHECK(co_await groups.resume("g"));

        co_await groups.set_concurrency("g", 5);
        co_await groups.set_rate_limit("g", 10, 2s);
        auto g = co_await groups.group("g");
        CHECK(g.concurrency == 5);
        CHECK(g.limit_max == 10);
        CHECK(g.limit_duration == 2000ms);
        co_await groups.set_concurrency("g", {});
        co_await groups.remove_rate_limit("g");
        co_await groups.limit("g", 60s);
        g = co_await groups.group("g");
        CHECK_FALSE(g.concurrency);
        CHECK_FALSE(g.limit_max);
        CHECK(g.status == group_status::limited);
        CHECK(g.limited_for > 50s);
        const auto counts = co_await groups.counts();
        CHECK(counts.limited == 1);
        CHECK(counts.jobs == 3);
    });
}

TEST_CASE("what a group cannot be is refused before Redis is touched", "[integration][queue][group]") {
    queue_fixture f;
    f.with_queue([&f](queue::queue& q) -> task<void> {
        queue::queue_groups groups{q};
        CHECK_THROWS_AS(co_await groups.pause(""), queue::input_error);
        CHECK_THROWS_AS(co_await groups.set_concurrency("g", 0), queue::input_error);
        CHECK_THROWS_AS(co_await groups.set_rate_limit("g", 0, 1s), queue::input_error);
        CHECK_THROWS_AS(co_await groups.limit("g", 0ms), queue::input_error);
        for (auto bad :
             {in_group(""), in_group(std::string(300, 'x')), in_group("\xff"), in_group("g", -1)}) {
            error_code seen;
            try {
                co_await q.add({"a", "1", bad});
            } catch (const system_error& e) {
                seen = e.code();
            }
            CHECK(seen == queue::errc::invalid_options);
        }
        auto both = in_group("g");
        both.priority = 4;
        std::string what;
        try {
            co_await q.add({"a", "1", both});
        } catch (const system_error& e) {
            what = e.what();
        }
        CHECK(what.find("priority = 4: expected none for a job of a group") != std::string::npos);
        CHECK(f.keys().empty());
    });
}

TEST_CASE("a full group is an error of that add alone", "[integration][queue][group]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        auto limited = in_group("g");
        limited.group->max_size = 2;
        CHECK(co_await q.add({"a", "1", limited}) == "1");
        CHECK(co_await q.add({"a", "1", limited}) == "2");
        error_code seen;
        try {
            co_await q.add({"a", "1", limited});
        } catch (const system_error& e) {
            seen = e.code();
        }
        CHECK(seen == queue::errc::group_is_full);
    });
}

TEST_CASE("the queue's default priority does not touch jobs of groups", "[integration][queue][group]") {
    queue_fixture f;
    queue::queue_options options;
    options.defaults.priority = 5;
    f.with_queue(
        [&f](queue::queue& q) -> task<void> {
            co_await q.add({"a", "1", in_group("g")});
            CHECK(f.field("1", "priority") == "0");
            CHECK(f.field("1", "opts") == R"({"attempts":0,"group":{"id":"g"}})");
        },
        options);
}

} // namespace
} // namespace tiktrend::testing
