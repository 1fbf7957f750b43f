// queue_getters on a real server.
#include "queue_fixture.hpp"
#include "refusals.hpp"

#include <tiktrend/queue/events.hpp>
#include <tiktrend/queue/queue_getters.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::dependency_kind;
using queue::job_state;
using queue::queue_getters;

strings ids_of(const std::vector<queue::job_record>& jobs) {
    strings out;
    for (const auto& job : jobs)
        out.push_back(job.id);
    return out;
}

TEST_CASE("counts are told for the states asked for", "[integration][queue]") {
    queue_fixture f;
    for (const char* id : {"a", "b"})
        f.add(id);
    f.add("p1", "4");
    f.add("p2", "4");
    f.add("d1", "0", "1000", 1'000'000);
    f.add("d2", "0", "2000", 1'000'000);
    f.redis({"ZADD", f.key("waiting-children"), "1", "k"});
    f.redis({"ZADD", f.key("failed"), "1", "x"});
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_getters g{q};
        const auto all = co_await g.counts();
        CHECK(all.size() == 7);
        CHECK(all.at(job_state::failed) == 1);
        CHECK((co_await g.counts({job_state::waiting, job_state::delayed})) ==
              std::map<job_state, std::int64_t>{{job_state::waiting, 2}, {job_state::delayed, 2}});
        CHECK((co_await g.count()) == 7); // all but the failed one
        CHECK((co_await g.counts_per_priority({4, 0, 4, 9})) ==
              std::map<std::int32_t, std::int64_t>{{0, 2}, {4, 2}, {9, 0}});
        CHECK((co_await g.delayed_count()) == 2);
        CHECK((co_await g.delayed_count(1'002'000)) == 1);
        CHECK((co_await g.delayed_count(1'002'001)) == 2);
        CHECK((co_await refusal(drop(g.counts_per_priority({-1})))) ==
              "priority = -1: expected a whole number from 0 to 2097151");
        CHECK((co_await refusal(drop(g.counts({job_state::unknown})))).starts_with("state = unknown"));
    });
}

TEST_CASE("jobs are listed by states, ranges and order", "[integration][queue]") {
    queue_fixture f;
    for (int i = 0; i < 250; ++i) {
        const auto id = "c" + std::to_string(i);
        f.redis({"ZADD", f.key("completed"), std::to_string(i), id});
        if (i % 50 != 0) f.redis({"HSET", f.key(id), "name", "n", "returnvalue", "1"});
    }
    for (const char* id : {"a", "b", "c"})
        f.add(id);
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_getters g{q};
        CHECK(ids_of(co_await g.jobs({job_state::waiting}, 0, -1, true)) == strings{"a", "b", "c"});
        CHECK(ids_of(co_await g.jobs({job_state::waiting}, 0, 1, false)) == strings{"c", "b"});
        CHECK(ids_of(co_await g.jobs({job_state::waiting}, -2, -1, true)) == strings{"b", "c"});
        CHECK(ids_of(co_await g.jobs({job_state::completed}, 0, 2, true)) == strings{"c1", "c2", "c3"});
        CHECK(ids_of(co_await g.jobs({job_state::completed, job_state::waiting}, 0, 0, false)) ==
              strings{"c249", "c"});
        const auto every = co_await g.jobs({}, 0, -1, true);
        CHECK(every.size() == 248);
        CHECK((co_await g.jobs({job_state::failed})).empty());
        CHECK((co_await g.jobs({job_state::waiting}, 5, 9)).empty());
        CHECK(every.front().return_value == "1");
    });
}

TEST_CASE("log rows come in either order", "[integration][queue]") {
    queue_fixture f;
    f.add("a");
    for (const char* row : {"1", "2", "3", "4"})
        f.script("add_log", {"a", row, "0"});
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_getters g{q};
        CHECK((co_await g.logs("a", 0, 1)).rows == strings{"1", "2"});
        const auto newest = co_await g.logs("a", 0, 1, false);
        CHECK(newest.rows == strings{"4", "3"});
        CHECK(newest.count == 4);
        CHECK((co_await g.logs("a", 0, -1, false)).rows == strings{"4", "3", "2", "1"});
    });
}

TEST_CASE("children are told by what became of them, in pages", "[integration][queue]") {
    queue_fixture f;
    f.add("p");
    for (int i = 0; i < 600; ++i)
        f.redis({"HSET", f.key("p:processed"), "bull:c:" + std::to_string(i), std::to_string(i)});
    f.redis({"SADD", f.key("p:dependencies"), "bull:c:x", "bull:c:y"});
    f.redis({"HSET", f.key("p:failed"), "bull:c:z", "bad"});
    f.redis({"ZADD", f.key("p:unsuccessful"), "1", "bull:c:f1", "2", "bull:c:f2", "3", "bull:c:f3"});
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_getters g{q};
        const auto counts = co_await g.dependencies_count("p");
        CHECK(counts.processed == 600);
        CHECK(counts.unprocessed == 2);
        CHECK(counts.ignored == 1);
        CHECK(counts.failed == 3);
        std::set<std::string> seen;
        std::uint64_t cursor = 0;
        int pages = 0;
        do {
            const auto page = co_await g.dependencies("p", dependency_kind::processed, cursor, 50);
            for (const auto& [key, value] : page.values)
                CHECK(key == "bull:c:" + value);
            for (const auto& [key, value] : page.values)
                seen.insert(key);
            cursor = page.next_cursor;
            ++pages;
        } while (cursor != 0);
        CHECK(seen.size() == 600);
        CHECK(pages > 3);
        const auto open = co_await g.dependencies("p", dependency_kind::unprocessed);
        CHECK(std::set<std::string>(open.keys.begin(), open.keys.end()) ==
              std::set<std::string>{"bull:c:x", "bull:c:y"});
        const auto first = co_await g.dependencies("p", dependency_kind::failed, 0, 2);
        CHECK(first.keys == strings{"bull:c:f1", "bull:c:f2"});
        const auto rest = co_await g.dependencies("p", dependency_kind::failed, first.next_cursor, 2);
        CHECK(rest.keys == strings{"bull:c:f3"});
        CHECK(rest.next_cursor == 0);
        CHECK((co_await g.children_values("p")).at("bull:c:7") == "7");
        CHECK((co_await g.ignored_children_failures("p")) ==
              std::map<std::string, std::string>{{"bull:c:z", "bad"}});
        CHECK((co_await g.failed_children("p")).size() == 3);
        CHECK((co_await g.children_values("nobody")).empty());
        CHECK((co_await refusal(drop(g.children_values("p:processed")))).starts_with("job id = "));
    });
}

task<void> until_seen(queue::queue& q, std::size_t workers, std::size_t listeners) {
    queue_getters g{q};
    for (int i = 0; i < 500; ++i) {
        const auto w = co_await g.workers_count();
        const auto e = co_await g.event_listeners();
        if (w == workers && e.size() == listeners) co_return;
        co_await sleep_for(20ms);
    }
    FAIL("the connections did not show");
}

task<std::string> do_nothing(queue::active_job&) {
    co_return std::string{};
}

task<void> look_at_clients(queue::queue& q) {
    const auto executor = co_await asio::this_coro::executor;
    queue::worker_options named;
    named.name = "node-1";
    queue::worker one{executor, q.client().where(), q.name(), do_nothing, named};
    queue::worker two{executor, q.client().where(), q.name(), do_nothing};
    queue::worker other{executor, q.client().where(), q.name() + "2", do_nothing};
    queue::queue_events events{executor, q.client().where(), q.name(), [](const queue::queue_event&) {}};
    one.start();
    two.start();
    other.start();
    events.start();
    co_await until_seen(q, 2, 1);
    auto found = co_await queue_getters{q}.workers();
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    CHECK(found[0].name == "");
    CHECK(found[1].name == "node-1");
    CHECK(found[1].raw_name == "bull:cQ==:w:node-1");
    CHECK(found[1].fields.at("cmd").starts_with("bzpopmin"));
    const auto now = std::chrono::steady_clock::now();
    for (auto* w : {&one, &two, &other})
        co_await w->stop(now + 1s, now + 5s);
    co_await events.stop();
    co_await until_seen(q, 0, 0);
}

TEST_CASE("workers and listeners are found by the names of their connections", "[integration][queue]") {
    queue_fixture f;
    f.with_queue(look_at_clients);
}

TEST_CASE("metrics are told in pages and in Prometheus' form", "[integration][queue]") {
    queue_fixture f{"a\"b"};
    f.redis({"HSET", f.key("metrics:completed"), "count", "12", "prevTS", "5", "prevCount", "9"});
    f.redis({"RPUSH", f.key("metrics:completed:data"), "3", "2", "1"});
    f.add("w");
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_getters g{q};
        const auto m = co_await g.metrics(job_state::completed, 1, -1);
        CHECK(m.count == 12);
        CHECK(m.previous_ts_ms == 5);
        CHECK(m.previous_count == 9);
        CHECK(m.data == std::vector<std::int64_t>{2, 1});
        CHECK(m.points == 3);
        CHECK((co_await g.metrics(job_state::failed)).count == 0);
        CHECK((co_await refusal(drop(g.metrics(job_state::active)))).starts_with("state = active"));
        const auto text = co_await g.export_prometheus_metrics({{"env", "x\\y\n"}});
        CHECK_THAT(text, Catch::Contains("# TYPE bullmq_job_count gauge\n") &&
                             Catch::Contains("bullmq_job_count{queue=\"a\\\"b\", state=\"waiting\", "
                                             "env=\"x\\\\y\\n\"} 1\n") &&
                             Catch::Contains("# TYPE bullmq_job_completed_total counter\n"
                                             "bullmq_job_completed_total{queue=\"a\\\"b\", env=") &&
                             Catch::Contains("} 12\n") && Catch::Contains("bullmq_job_failed_total{"));
        CHECK((co_await refusal(drop(g.export_prometheus_metrics({{"a b", "1"}})))).starts_with("label = "));
        CHECK(
            (co_await refusal(drop(g.export_prometheus_metrics({{"queue", "1"}})))).starts_with("label = "));
    });
}

TEST_CASE("the owner of a deduplication id is told", "[integration][queue]") {
    queue_fixture f;
    f.redis({"SET", f.key("de:X"), "17"});
    f.with_queue([](queue::queue& q) -> task<void> {
        queue_getters g{q};
        CHECK((co_await g.deduplication_job_id("X")) == "17");
        CHECK_FALSE(co_await g.deduplication_job_id("Y"));
    });
}

} // namespace
} // namespace tiktrend::testing
