#include "backoff.hpp"
#include "options_check.hpp"
#include "options_json.hpp"

#include <catch2/catch.hpp>

#include <limits>

namespace tiktrend::queue {
namespace {

using namespace std::chrono_literals;

TEST_CASE("options are stored under BullMQ's short keys", "[unit][queue]") {
    CHECK(options_to_json({}) == R"({"attempts":0})");
    job_options o;
    o.id = "a\"b";
    o.priority = 3;
    o.delay = 1500ms;
    o.attempts = 4;
    o.backoff = backoff_options{"exponential", 2s, 0.25};
    o.lifo = true;
    o.timestamp_ms = 1'700'000'000'123;
    o.keep_logs = 20;
    o.stack_trace_limit = 0;
    o.size_limit = 1000;
    o.telemetry_metadata = R"({"traceparent":"x"})";
    o.omit_context = true;
    CHECK(
        options_to_json(o) ==
        R"({"attempts":4,"backoff":{"type":"exponential","delay":2000,"jitter":0.25},"delay":1500,"priority":3,)"
        R"("lifo":true,"timestamp":1700000000123,"jobId":"a\"b","kl":20,"stackTraceLimit":0,"sizeLimit":1000,)"
        R"("tm":"{\"traceparent\":\"x\"}","omc":true})");
}

TEST_CASE("each keep policy has its form", "[unit][queue]") {
    const auto form = [](keep_policy keep) {
        job_options o;
        o.remove_on_complete = keep;
        return options_to_json(o);
    };
    CHECK(form(keep_policy::none()) == R"({"attempts":0,"removeOnComplete":true})");
    CHECK(form(keep_policy::all()) == R"({"attempts":0,"removeOnComplete":false})");
    CHECK(form(keep_policy::newest(7)) == R"({"attempts":0,"removeOnComplete":7})");
    CHECK(form({10, 1h, 5}) == R"({"attempts":0,"removeOnComplete":{"count":10,"age":3600,"limit":5}})");
    CHECK(form({{}, 60s, {}}) == R"({"attempts":0,"removeOnComplete":{"age":60}})");
    job_options o;
    o.remove_on_fail = keep_policy::newest(5);
    CHECK(options_to_json(o) == R"({"attempts":0,"removeOnFail":5})");
}

TEST_CASE("defaults fill in what is unset and nothing else", "[unit][queue]") {
    job_options defaults;
    defaults.priority = 5;
    defaults.attempts = 3;
    defaults.backoff = backoff_options{"fixed", 1s, 0};
    defaults.remove_on_complete = keep_policy::newest(1000);
    job_options o;
    o.attempts = 1;
    o.remove_on_complete = keep_policy::all();
    o.id = "x";
    const auto merged = with_defaults(o, defaults);
    CHECK(merged.priority == 5);
    CHECK(merged.attempts == 1);
    CHECK(merged.backoff->type == "fixed");
    CHECK(merged.remove_on_complete == keep_policy::all());
    CHECK_FALSE(merged.remove_on_fail);
    CHECK(merged.id == "x");
}

TEST_CASE("a parent and a failure policy are stored in both places", "[unit][queue]") {
    job_options o;
    o.parent = parent_options{"p", "bull:up"};
    o.ignore_dependency_on_failure = true;
    CHECK(options_to_json(o) == R"({"attempts":0,"idof":true,"parent":{"id":"p","queue":"bull:up"}})");
    CHECK(parent_field(o) == R"({"id":"p","queueKey":"bull:up","idof":true})");
    CHECK(side_word(o) ==
          R"({"parentKey":"bull:up:p","parent":"{\"id\":\"p\",\"queueKey\":\"bull:up\",\"idof\":true}"})");
    CHECK(side_word({}) == "L");
    job_options lifo;
    lifo.lifo = true;
    CHECK(side_word(lifo) == "R");
    CHECK(side_word(lifo, true) == R"({"lifo":true,"waitsForChildren":true})");
}

TEST_CASE("each form of deduplication is stored", "[unit][queue]") {
    job_options o;
    o.deduplication = deduplication_options{"a", 5s, true, true, true, true};
    CHECK(
        options_to_json(o) ==
        R"({"attempts":0,"de":{"id":"a","ttl":5000,"extend":true,"replace":true,"reschedule":true,"keepLastIfActive":true}})");
    o.deduplication = deduplication_options{};
    o.deduplication->id = "a";
    CHECK(side_word(o, false, true) == R"({"de":{"id":"a","debounced":true}})");
}

TEST_CASE("a refusal names the option, its value and the rule", "[unit][queue]") {
    const auto text = [](auto change) {
        job_options o;
        change(o);
        const auto problem = find_problem(o);
        return problem ? problem->field + " = " + problem->value + ": " + problem->rule : std::string{};
    };
    CHECK(text([](job_options&) {}).empty());
    CHECK(text([](job_options& o) { o.priority = -3; }) == "priority = -3: a whole number from 0 to 2097151");
    CHECK(text([](job_options& o) { o.attempts = -1; }) == "attempts = -1: 0 or more");
    CHECK(text([](job_options& o) { o.deduplication.emplace(); }) ==
          "deduplication.id = \"\": 1 to 1000 bytes of UTF-8");
    CHECK(text([](job_options& o) {
              o.deduplication.emplace().id = "a";
              o.parent = parent_options{"p", "bull:up"};
          }) == "parent = \"bull:up:p\": no parent for a job with a deduplication id");
    CHECK(text([](job_options& o) { o.parent = parent_options{"p", "up"}; }) ==
          "parent.queue = \"up\": <prefix>:<queue>");
    CHECK(text([](job_options& o) { o.parent = parent_options{"a:b", "bull:up"}; }) ==
          "parent.id = \"a:b\": a text without a colon");
    CHECK(text([](job_options& o) { o.parent = parent_options{"wait", "bull:up"}; }) ==
          "parent.id = \"wait\": not the name of a key of the queue");
    CHECK(text([](job_options& o) {
              o.remove_on_complete = keep_policy::newest(std::numeric_limits<std::int64_t>::max());
          }) == "remove_on_complete.count = 9223372036854775807: a whole number from 0 to 9007199254740991");
    CHECK(text([](job_options& o) {
              o.fail_parent_on_failure = true;
              o.remove_dependency_on_failure = true;
          }) ==
          "policy on failure = fail_parent_on_failure, remove_dependency_on_failure: at most one of them");
}

TEST_CASE("options out of range are refused", "[unit][queue]") {
    const auto error = [](auto change) {
        job_options o;
        change(o);
        return check_options(o);
    };
    CHECK_FALSE(error([](job_options&) {}));
    CHECK(error([](job_options& o) { o.id = "12"; }) == errc::invalid_job_id);
    CHECK(error([](job_options& o) { o.priority = -1; }) == errc::invalid_priority);
    CHECK(error([](job_options& o) { o.priority = max_priority + 1; }) == errc::invalid_priority);
    CHECK_FALSE(error([](job_options& o) { o.priority = max_priority; }));
    CHECK(error([](job_options& o) { o.delay = -1ms; }) == errc::invalid_options);
    CHECK(error([](job_options& o) { o.delay = max_delay + 1ms; }) == errc::invalid_options);
    CHECK(error([](job_options& o) { o.attempts = -1; }) == errc::invalid_options);
    CHECK(error([](job_options& o) { o.backoff = backoff_options{"", 1s, 0}; }) == errc::invalid_options);
    CHECK(error([](job_options& o) { o.backoff = backoff_options{"fixed", 1s, 1.5}; }) ==
          errc::invalid_options);
    CHECK(error([](job_options& o) { o.backoff = backoff_options{"fixed", -1s, 0}; }) ==
          errc::invalid_options);
    CHECK(error([](job_options& o) { o.keep_logs = -1; }) == errc::invalid_options);
    CHECK(error([](job_options& o) { o.timestamp_ms = 0; }) == errc::invalid_options);
    CHECK(error([](job_options& o) { o.remove_on_fail = keep_policy::newest(-1); }) == errc::invalid_options);
    CHECK(error([](job_options& o) { o.remove_on_fail = keep_policy{1, -1s, {}}; }) == errc::invalid_options);
    CHECK(error([](job_options& o) { o.remove_on_fail = keep_policy{1, 1s, 0}; }) == errc::invalid_options);
}

} // namespace
} // namespace tiktrend::queue
