// Options of jobs: any text is read without harm, the same way each time, and what we write we read back.
#include "fuzzing.hpp"
#include "options_check.hpp"
#include "options_json.hpp"
#include "stored_options.hpp"

#include <tiktrend/base/json_text.hpp>

namespace tiktrend::fuzz {
namespace {

bool same(const queue::stored_options& a, const queue::stored_options& b) {
    return a.attempts == b.attempts && a.lifo == b.lifo && a.remove_on_complete == b.remove_on_complete &&
           a.remove_on_fail == b.remove_on_fail && a.keep_logs == b.keep_logs &&
           a.stack_trace_limit == b.stack_trace_limit && a.backoff.has_value() == b.backoff.has_value() &&
           (!a.backoff || (a.backoff->type == b.backoff->type && a.backoff->delay == b.backoff->delay));
}

void read_twice(const std::string& text) {
    queue::options_reader reader, other;
    const auto first = reader.read(text);
    other.read(R"({"attempts":3,"backoff":{"type":"fixed","delay":1},"lifo":true})"); // nothing of it stays
    require(same(first, other.read(text)));
    require(first.attempts >= 0);
    queue::json_checker checker;
    const auto texts = checker.texts(text);
    if (!checker.is_json(text)) require(texts.empty());
}

queue::keep_policy keep_of(choices& c) {
    queue::keep_policy keep;
    if (c.flip()) keep.count = static_cast<std::int64_t>(c.below(100'000));
    if (c.flip()) {
        keep.age = std::chrono::seconds{c.below(1'000'000)};
        if (c.flip()) keep.limit = 1 + static_cast<std::int64_t>(c.below(1'000));
    }
    return keep;
}

void write_and_read(choices c) {
    queue::job_options o;
    if (c.flip()) o.attempts = static_cast<std::int32_t>(c.below(1'000));
    if (c.flip()) {
        o.backoff.emplace();
        o.backoff->type = c.flip() ? "exponential" : "fixed";
        o.backoff->delay = std::chrono::milliseconds{c.below(100'000'000)};
    }
    o.lifo = c.flip();
    if (c.flip()) o.remove_on_complete = keep_of(c);
    if (c.flip()) o.remove_on_fail = keep_of(c);
    if (c.flip()) o.keep_logs = static_cast<std::int32_t>(c.below(100'000));
    if (c.flip()) o.stack_trace_limit = static_cast<std::int32_t>(c.below(1'000));
    if (c.flip()) o.priority = static_cast<std::int32_t>(c.below(2'000'000));
    o.telemetry_metadata = repair_utf8(c.rest());
    if (queue::check_options(o)) return;
    const auto text = queue::options_to_json(o);
    require(queue::json_checker{}.is_json(text));
    const auto read = queue::options_reader{}.read(text);
    require(read.attempts == o.attempts && read.lifo == o.lifo && read.keep_logs == o.keep_logs &&
            read.stack_trace_limit == o.stack_trace_limit &&
            read.remove_on_complete == o.remove_on_complete && read.remove_on_fail == o.remove_on_fail);
    require(read.backoff.has_value() == o.backoff.has_value());
    if (o.backoff) require(read.backoff->type == o.backoff->type && read.backoff->delay == o.backoff->delay);
}

} // namespace

std::vector<std::string> seeds() {
    return {
        R"({"attempts":3,"backoff":{"type":"exponential","delay":1000,"jitter":0.5},"removeOnComplete":true})",
        R"({"removeOnComplete":{"age":3600,"count":10,"limit":5},"removeOnFail":7,"kl":5,"stackTraceLimit":0})",
        R"({"attempts":1e3,"backoff":250,"lifo":1,"removeOnFail":-1,"tm":"{\"traceparent\":\"x\"}","omc":true})",
        R"(["a","b\u00e9",null,"\ud83d\ude00"])",
        "[[[[[[[[[[[[[[]]]]]]]]]]]]]]",
        "{\"attempts\":-99999999999999}",
        std::string("\x01\x02\x01\x01\x00\x10\x00\x01\x01\x00\x05tail", 14)};
}

void check(std::string_view input) {
    read_twice(std::string{input});
    write_and_read(choices{input});
}

} // namespace tiktrend::fuzz
