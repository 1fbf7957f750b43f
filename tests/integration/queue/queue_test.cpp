#include "queue_fixture.hpp"
#include "refusals.hpp"

#include <tiktrend/base/task_group.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

using queue::job_options;
using queue::job_state;
using queue::new_job;

task<void> add_one(queue::queue& q, new_job job, strings& ids) {
    ids.push_back(co_await q.add(std::move(job)));
}

task<void> add_only(queue::queue& q, new_job job) {
    co_await q.add(std::move(job));
}

job_options with_id(std::string id) {
    job_options o;
    o.id = std::move(id);
    return o;
}

TEST_CASE("initialize writes what dashboards look for", "[integration][queue]") {
    queue_fixture f;
    queue::queue_options options;
    options.max_events = 500;
    f.with_queue([](queue::queue& q) -> task<void> { co_await q.initialize(); }, options);
    CHECK(f.field("meta", "opts.maxLenEvents") == "500");
    CHECK(f.field("meta", "version").starts_with("tiktrend-queue:"));
}

TEST_CASE("an added job reads back as it was given", "[integration][queue]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        job_options o;
        o.priority = 7;
        o.attempts = 3;
        o.backoff = queue::backoff_options{"exponential", 2000ms, 0.5};
        o.timestamp_ms = 1'700'000'000'000;
        o.remove_on_complete = queue::keep_policy::newest(1000);
        const auto id = co_await q.add({"paint", R"({"color":"réd"})", o});
        CHECK(id == "1");
        const auto found = co_await q.get_job_and_state(id);
        REQUIRE(found);
        const auto& [job, state] = *found;
        CHECK(state == job_state::prioritized);
        CHECK(job.name == "paint");
        CHECK(job.data == R"({"color":"réd"})");
        CHECK(job.opts ==
              R"({"attempts":3,"backoff":{"type":"exponential","delay":2000,"jitter":0.5},"priority":7,)"
              R"("timestamp":1700000000000,"removeOnComplete":1000})");
        CHECK(job.timestamp_ms == 1'700'000'000'000);
        CHECK(job.attempts == 3);
        CHECK(job.priority == 7);
        CHECK((co_await q.get_state(id)) == job_state::prioritized);
        CHECK_FALSE((co_await q.get_job("nobody")));
        CHECK_FALSE((co_await q.get_job_and_state("nobody")));
        CHECK((co_await q.get_state("nobody")) == job_state::unknown);
        for (const char* key : {"meta", "wait", "prioritized", ""}) { // keys of the queue are not jobs
            CHECK_FALSE((co_await q.get_job(key)));
            CHECK_FALSE((co_await q.get_job_and_state(key)));
        }
    });
}

TEST_CASE("unset options come from the queue's defaults", "[integration][queue]") {
    queue_fixture f;
    queue::queue_options options;
    options.defaults.priority = 5;
    options.defaults.attempts = 3;
    f.with_queue(
        [](queue::queue& q) -> task<void> {
            co_await q.add({"a", "1"});
            job_options o;
            o.priority = 2;
            co_await q.add({"b", "1", o});
        },
        options);
    CHECK(f.field("1", "opts") == R"({"attempts":3,"priority":5})");
    CHECK(f.field("2", "opts") == R"({"attempts":3,"priority":2})");
    CHECK(f.sorted("prioritized") == strings{"2", "1"});
}

task<std::string> refusal_of_one_of_many(queue::queue& q, queue::new_job bad) {
    const auto results = co_await q.add_bulk({{"a", "1"}, bad});
    CHECK(results[1].error() == queue::errc::invalid_options);
    const auto why = q.refusal_of(bad);
    co_return why ? why->field() + " = " + why->value() + ": expected " + why->rule()
                  : std::string{"accepted"};
}

TEST_CASE("a refused add names the field, its value and the rule", "[integration][queue]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        job_options o;
        o.priority = -1;
        CHECK(co_await refusal(add_only(q, {"a", "1", o})) ==
              "priority = -1: expected a whole number from 0 to 2097151");
        o = {};
        o.size_limit = 3;
        CHECK(co_await refusal(add_only(q, {"a", "12345", o})) ==
              "data = 5 bytes: expected at most 3 (size_limit)");
        CHECK(co_await refusal(add_only(q, {"a", "{"})) == "data = \"{\": expected one JSON text in UTF-8");
        CHECK(co_await refusal(add_only(q, {"a", "{}"})) == "accepted");
        o = {};
        o.backoff = queue::backoff_options{"fixed", 1s, 2};
        CHECK(co_await refusal_of_one_of_many(q, {"a", "1", o}) ==
              "backoff.jitter = 2: expected a number from 0 to 1");
        CHECK_FALSE(q.refusal_of({"a", "1"}));
        CHECK_THROWS_AS(queue::queue(q.client(), "a:b"), queue::input_error);
    });
}

TEST_CASE("what is refused leaves no trace", "[integration][queue]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        for (const char* id :
             {"12", "-3", "007", "0", "a:b", "a:b:c", "wait", "meta", "metrics", "waiting-children", "\xff"})
            CHECK(co_await is_refused(add_only(q, {"a", "1", with_id(id)}), queue::errc::invalid_job_id));
        job_options o;
        o.priority = -1;
        CHECK(co_await is_refused(add_only(q, {"a", "1", o}), queue::errc::invalid_priority));
        o.priority = 2'097'152;
        CHECK(co_await is_refused(add_only(q, {"a", "1", o}), queue::errc::invalid_priority));
        o = job_options{};
        o.delay = -1ms;
        CHECK(co_await is_refused(add_only(q, {"a", "1", o}), queue::errc::invalid_options));
        o = job_options{};
        o.size_limit = 3;
        CHECK(co_await is_refused(add_only(q, {"a", "12345", o}), queue::errc::data_too_large));
        for (const char* data : {"", "{", "undefined", "{} {}", "\"\xff\""})
            CHECK(co_await is_refused(add_only(q, {"a", data}), queue::errc::invalid_json));
    });
    CHECK(f.keys().empty());
}

TEST_CASE("calls of one turn travel together and get their own ids", "[integration][queue]") {
    queue_fixture f;
    f.redis({"CONFIG", "RESETSTAT"});
    f.with_queue([](queue::queue& q) -> task<void> {
        strings ids;
        task_group group{co_await asio::this_coro::executor};
        for (int i = 0; i < 300; ++i)
            group.spawn("add", add_one(q, {"a", std::to_string(i)}, ids));
        co_await group.join();
        CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 300);
        for (const auto& id : {"1", "150", "300"}) {
            const auto job = co_await q.get_job(id);
            REQUIRE(job);
            CHECK(job->data == std::to_string(std::stoi(id) - 1)); // in the order in which they were called
        }
    });
    CHECK(f.list("wait").size() == 300);
    int scripts = 0; // EVAL while Redis does not know the script, EVALSHA afterwards
    for (const auto& line : lines(f.redis({"INFO", "commandstats"})))
        if (line.starts_with("cmdstat_eval")) scripts += std::stoi(line.substr(line.find("calls=") + 6));
    CHECK(scripts >= 1);
    CHECK(scripts <= 4);
}

TEST_CASE("a bulk add answers for each job and keeps their order", "[integration][queue]") {
    queue_fixture f;
    queue::queue_options options;
    options.max_batch = 100;
    f.with_queue(
        [](queue::queue& q) -> task<void> {
            std::vector<new_job> jobs;
            for (int i = 0; i < 1001; ++i)
                jobs.emplace_back("a", std::to_string(i));
            jobs[3].data = "{broken";
            jobs[4].options.id = "mine";
            jobs[5].options.id = "a:b";
            const auto results = co_await q.add_bulk(std::move(jobs));
            REQUIRE(results.size() == 1001);
            CHECK(results[0].value() == "1");
            CHECK(results[3].error() == queue::errc::invalid_json);
            CHECK(results[4].value() == "mine");
            CHECK(results[5].error() == queue::errc::invalid_job_id);
            CHECK(results[1000].value() == "999");
            const auto again = co_await q.add_bulk({});
            CHECK(again.empty());
        },
        options);
    const auto wait = f.list("wait");
    CHECK(wait.size() == 999);
    CHECK(wait.back() == "1");
    CHECK(wait.front() == "999");
    CHECK(f.field("999", "data") == "1000");
}

TEST_CASE("an existing custom id comes back and changes nothing", "[integration][queue]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        CHECK((co_await q.add({"a", "1", with_id("report-1")})) == "report-1");
        CHECK((co_await q.add({"b", "2", with_id("report-1")})) == "report-1");
    });
    CHECK(f.field("report-1", "data") == "1");
    CHECK(f.list("wait") == strings{"report-1"});
}

TEST_CASE("administration calls do what their scripts do", "[integration][queue]") {
    queue_fixture f;
    f.with_queue([](queue::queue& q) -> task<void> {
        job_options later;
        later.delay = 60s;
        const auto id = co_await q.add({"a", "1", later});
        CHECK((co_await q.get_state(id)) == job_state::delayed);
        co_await q.promote(id);
        CHECK((co_await q.get_state(id)) == job_state::waiting);
        CHECK(co_await is_refused(q.promote(id), queue::errc::job_not_in_state));
        CHECK(co_await is_refused(q.promote("nobody"), queue::errc::job_not_found));

        co_await q.update_progress(id, "42");
        co_await q.update_data(id, R"({"v":2})");
        CHECK(co_await is_refused(q.update_progress(id, "{"), queue::errc::invalid_json));
        CHECK((co_await q.add_log(id, "one")) == 1);
        CHECK((co_await q.add_log(id, "two")) == 2);
        const auto page = co_await q.logs(id, 1, 1);
        CHECK(page.rows == strings{"two"});
        CHECK(page.count == 2);
        const auto job = co_await q.get_job(id);
        REQUIRE(job);
        CHECK(job->progress == "42");
        CHECK(job->data == R"({"v":2})");

        CHECK_FALSE(co_await q.is_paused());
        co_await q.pause();
        CHECK(co_await q.is_paused());
        const auto depth = co_await q.depth();
        CHECK(depth.paused);
        CHECK(depth.backlog == 1);
        CHECK(depth.effective == 0);
        CHECK(depth.counts.waiting == 1);
        co_await q.resume();
        CHECK_FALSE(co_await q.is_paused());

        CHECK((co_await q.ids(job_state::waiting, 0, -1, true)) == strings{id});
        CHECK(co_await q.remove(id));
        CHECK(co_await is_refused(q.promote(id), queue::errc::job_not_found));
        const auto counts = co_await q.counts();
        CHECK(counts.waiting == 0);
        CHECK(co_await is_refused(q.retry(id, job_state::failed), queue::errc::job_not_found));
    });
}

TEST_CASE("ids of a state come in the order asked for", "[integration][queue]") {
    queue_fixture f;
    for (const char* id : {"a", "b", "c"})
        f.add(id);
    f.fetch("T", 3);
    f.redis({"ZADD", f.key("completed"), "1", "x", "2", "y", "3", "z"});
    f.with_queue([](queue::queue& q) -> task<void> {
        CHECK((co_await q.ids(job_state::active, 0, -1, true)) == strings{"a", "b", "c"});
        CHECK((co_await q.ids(job_state::active, 0, 0, true)) == strings{"a"});
        CHECK((co_await q.ids(job_state::active, 0, 1, false)) == strings{"c", "b"});
        CHECK((co_await q.ids(job_state::completed, 0, 1, false)) == strings{"z", "y"});
        CHECK((co_await q.ids(job_state::completed, 1, 2, true)) == strings{"y", "z"});
    });
}

task<void> add_without_redis(redis::address where) {
    redis::client client{co_await asio::this_coro::executor, where};
    client.start();
    {
        queue::queue q{client, "q"};
        std::vector<new_job> jobs(2);
        bool refused_one = false, refused_many = false;
        try {
            co_await q.add({"a", "1"});
        } catch (const system_error& e) {
            refused_one = e.code().category() == redis::category();
        }
        try {
            co_await q.add_bulk(std::move(jobs));
        } catch (const system_error& e) {
            refused_many = e.code().category() == redis::category();
        }
        CHECK(refused_one);
        CHECK(refused_many);
    }
    co_await client.stop();
}

TEST_CASE("an add without Redis fails with a redis error instead of waiting", "[integration][queue]") {
    redis::address nowhere;
    nowhere.port = free_port();
    run_coroutine(add_without_redis(nowhere));
}

} // namespace
} // namespace tiktrend::testing
