#include "iteration.hpp"

#include <tiktrend/base/json_text.hpp>

#include <boost/json.hpp>

namespace tiktrend::queue {
namespace {

namespace json = boost::json;

std::int64_t integer(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (!value) return 0;
    if (value->is_int64()) return value->get_int64();
    if (value->is_double()) return static_cast<std::int64_t>(value->get_double());
    return 0;
}

} // namespace

iteration_verdict plan_next_iteration(const job_record& job, std::int64_t now_ms, next_iteration& next) {
    boost::system::error_code ec;
    auto parsed = json::parse(job.opts, ec);
    if (ec || !parsed.is_object()) return iteration_verdict::unreadable;
    auto& opts = parsed.get_object();
    auto* repeat = opts.if_contains("repeat");
    if (!repeat || !repeat->is_object()) return iteration_verdict::unreadable;
    auto& rule = repeat->get_object();

    const auto count = integer(rule, "count") + 1;
    const auto limit = integer(rule, "limit");
    const auto end = integer(rule, "endDate");
    if ((limit > 0 && count > limit) || (end > 0 && now_ms > end)) return iteration_verdict::ended;
    next.every_ms = integer(rule, "every");
    if (next.every_ms <= 0 && rule.contains("pattern")) return iteration_verdict::unsupported_cron;

    rule["count"] = count;
    opts["timestamp"] = now_ms;
    opts.erase("jobId");
    opts.erase("delay");
    next.priority = static_cast<std::int32_t>(integer(opts, "priority"));
    const auto* lifo = opts.if_contains("lifo");
    next.lifo = lifo && lifo->is_bool() && lifo->get_bool();

    // The script knows the time and closes the text: no JSON is built in Redis.
    next.opts = json::serialize(opts);
    next.opts.back() = ','; // never empty: timestamp is there
    std::string id_text;
    append_json_string(id_text, "repeat:" + job.scheduler_id + ":");
    id_text.pop_back();
    next.opts += "\"jobId\":" + id_text;
    return iteration_verdict::create;
}

} // namespace tiktrend::queue
