#include "worker_fixture.hpp"

#include <tiktrend/queue/events_producer.hpp>
#include <tiktrend/queue/flow_producer.hpp>
#include <tiktrend/queue/job_scheduler.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::testing {
namespace {

const std::string context = R"({"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})";

task<void> add_in_every_way(queue::queue& q) {
    queue::job_options o;
    o.id = "plain";
    co_await q.add({"n", "1", o});
    o.id = "own";
    o.telemetry_metadata = "mine";
    co_await q.add({"n", "1", o});
    o.id = "omitted";
    o.telemetry_metadata.clear();
    o.omit_context = true;
    co_await q.add({"n", "1", o});

    queue::repeat_options every;
    every.every = 1h;
    co_await queue::job_schedulers{q}.upsert("s", every);

    queue::flow_options options;
    options.trace_context = q.options().trace_context;
    queue::flow_producer flows{q.client(), options};
    queue::job_options child;
    child.id = "child";
    co_await flows.add({"n", "up", "1", {}, {{"n", q.name(), "1", child}}});
}

TEST_CASE("jobs carry the trace context of who adds them", "[integration][queue][telemetry]") {
    queue_fixture f;
    queue::queue_options options;
    options.trace_context = [] { return context; };
    f.with_queue([](queue::queue& q) { return add_in_every_way(q); }, options);
    const auto has = [&f](const std::string& id, const std::string& part) {
        return f.field(id, "opts").find(part) != std::string::npos;
    };
    const std::string escaped =
        R"("tm":"{\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}")";
    CHECK(has("plain", escaped));
    CHECK(has("own", R"("tm":"mine")"));
    CHECK_FALSE(has("omitted", "\"tm\""));
    CHECK(has("omitted", R"("omc":true)"));
    CHECK(has("child", escaped));
    const auto pending = f.list("wait").at(1); // pushed at the left: child, the scheduler's, …
    CHECK(has(pending, escaped));
    CHECK(f.field("repeat:s", "opts") == "(nil)"); // the template is not an occasion of its own
}

struct failing_once {
    std::string seen;
    int runs = 0;
};

task<std::string> fail_once(failing_once& state, queue::active_job& j) {
    state.seen = j.record().telemetry_metadata;
    if (++state.runs > 1) co_return "1";
    throw std::runtime_error("broken");
}

task<void> add_and_wait(worker_fixture& f, queue::job_options job, std::size_t outcomes) {
    co_await f.queue().add({"n", "1", std::move(job)});
    co_await f.outcomes(outcomes);
}

TEST_CASE("a worker sees the context, and a failed attempt stores its own",
          "[integration][queue][telemetry]") {
    worker_fixture f;
    const auto ends = GENERATE("failed", "retried", "delayed");
    CAPTURE(ends);
    queue::job_options job;
    job.telemetry_metadata = context;
    if (std::string_view{ends} != "failed") job.attempts = 2;
    if (std::string_view{ends} == "delayed") job.backoff = queue::backoff_options{"fixed", 1h, 0};
    queue::worker_options options;
    options.failure_trace_context = [](const queue::job_record& r, std::string_view reason) {
        return "failed " + r.id + ": " + std::string{reason};
    };
    failing_once state;
    const std::size_t outcomes = std::string_view{ends} == "retried" ? 2 : 1;
    f.run(
        options, [&state](queue::active_job& j) { return fail_once(state, j); },
        [&](worker_fixture& w) { return add_and_wait(w, job, outcomes); });
    CHECK(state.seen == context);
    CHECK(f.field("1", "tm") == "failed 1: broken");
    CHECK(f.field("1", "failedReason") == "broken");
}

TEST_CASE("without the hook nothing is stored", "[integration][queue][telemetry]") {
    worker_fixture f;
    failing_once state;
    f.run(
        {}, [&state](queue::active_job& j) { return fail_once(state, j); },
        [](worker_fixture& w) { return add_and_wait(w, {}, 1); });
    CHECK(f.field("1", "tm") == "(nil)");
}

task<void> publish(queue::queue& q, strings& refused) {
    queue::queue_events_producer producer{q.client(), q.name()};
    const auto id = co_await producer.publish("price-drop", {{"sku", "7"}, {"note", "a b"}});
    CHECK(id.find('-') != std::string::npos);
    co_await producer.publish("progress", {{"jobId", "1"}, {"data", "[5]"}});
    using fields = queue::queue_events_producer::fields;
    const std::vector<std::pair<std::string, fields>> bad{{"", {}},
                                                          {"x", {{"event", "y"}}},
                                                          {"x", {{"", "y"}}},
                                                          {"x", {{"f", "\xff"}}},
                                                          {"progress", {{"data", "{"}}},
                                                          {"completed", {{"returnvalue", "oops"}}}};
    for (const auto& [name, values] : bad) {
        try {
            co_await producer.publish(name, values);
        } catch (const system_error& e) {
            CHECK(e.code() == queue::errc::invalid_event);
            refused.emplace_back(e.what());
        }
    }
}

TEST_CASE("events of one's own are published unless they would stop who follows",
          "[integration][queue][events]") {
    queue_fixture f;
    strings refused;
    f.with_queue([&refused](queue::queue& q) { return publish(q, refused); });
    CHECK(f.events() == strings{"price-drop sku=7 note=a b", "progress 1 data=[5]"});
    CHECK(refused.size() == 6);
    CHECK(refused.at(4).find("field \"data\" = \"{\": expected JSON") != std::string::npos);
}

} // namespace
} // namespace tiktrend::testing
