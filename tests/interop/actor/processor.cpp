#include "processor.hpp"

#include <tiktrend/base/timeout.hpp>

#include <stdexcept>

namespace tiktrend::interop {
namespace json = boost::json;
namespace {

task<std::string> process(queue::active_job& job, event& gate, json::array& ran) {
    ran.push_back(json::object{{"id", job.id()}, {"attempt", job.record().attempts_made}});
    const auto parsed = json::parse(job.record().data);
    const auto& data = parsed.as_object();
    if (const auto* values = data.if_contains("progress"))
        for (const auto& value : values->as_array())
            co_await job.update_progress(json::serialize(value));
    if (const auto* rows = data.if_contains("logs"))
        for (const auto& row : rows->as_array())
            co_await job.log(std::string{row.as_string()});
    if (const auto* ms = data.if_contains("work_ms"))
        co_await sleep_for(std::chrono::milliseconds{ms->to_number<std::int64_t>()});
    if (data.contains("hold")) co_await gate.wait();
    const auto* given = data.if_contains("reason");
    const std::string reason = given ? std::string{given->as_string()} : std::string{};
    if (data.contains("unrecoverable")) throw queue::unrecoverable_error(reason);
    const auto* fail_times = data.if_contains("fail_times");
    if (fail_times && job.record().attempts_made < fail_times->to_number<std::int32_t>())
        throw std::runtime_error(reason);
    const auto* result = data.if_contains("result");
    co_return result ? json::serialize(*result) : std::string{"null"};
}

} // namespace

queue::processor make_processor(event& gate, json::array& ran) {
    return [&gate, &ran](queue::active_job& job) { return process(job, gate, ran); };
}

} // namespace tiktrend::interop
