#include "iteration.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/queue/cron.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <stdexcept>

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

std::string text(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value && value->is_string() ? std::string{value->get_string()} : std::string{};
}

/// When a pattern is due next, whoever wrote it; throws std::invalid_argument for one that cannot be read.
std::optional<std::int64_t> next_cron_time(const json::object& rule, std::int64_t previous_ms,
                                           std::int64_t now_ms) {
    std::string why;
    const auto pattern = text(rule, "pattern");
    const auto cron = cron_expression::parse(pattern, why);
    if (!cron) throw std::invalid_argument("pattern \"" + pattern + "\": " + why);
    const auto after = std::max({now_ms, previous_ms, integer(rule, "startDate")});
    return cron->next_after(after, text(rule, "tz"));
}

} // namespace

iteration_verdict plan_next_iteration(const job_record& job, std::int64_t now_ms, next_iteration& next) {
    boost::system::error_code ec;
    next.why = "the job's options are not a scheduler's";
    next.cron_ms = 0;
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
    if (auto* cron = rule.if_contains("cron"); cron && !rule.contains("pattern")) { // as before version 3
        auto pattern = std::move(*cron);
        rule.erase("cron");
        rule["pattern"] = std::move(pattern);
    }
    next.every_ms = integer(rule, "every");
    next.offset_ms = integer(rule, "offset");
    if (next.every_ms <= 0 && rule.contains("pattern")) {
        try {
            const auto at = next_cron_time(rule, integer(opts, "prevMillis"), now_ms);
            if (!at || (end > 0 && *at > end)) return iteration_verdict::ended;
            next.cron_ms = *at;
        } catch (const std::invalid_argument& e) {
            next.why = e.what();
            return iteration_verdict::unreadable;
        }
    }

    rule["count"] = count; // before members are added to `opts`, which may move what is inside
    if (next.cron_ms > 0) opts["prevMillis"] = next.cron_ms;
    opts["timestamp"] = now_ms;
    if (!opts.contains("attempts")) opts["attempts"] = 0; // always there in a job's options (layout 1.6)
    opts.erase("jobId");
    opts.erase("delay");
    next.priority = static_cast<std::int32_t>(integer(opts, "priority"));
    const auto* lifo = opts.if_contains("lifo");
    next.lifo = lifo && lifo->is_bool() && lifo->get_bool();

    // The script knows the time and closes the text: no JSON is built in Redis.
    next.opts = json::serialize(opts);
    next.opts.back() = ','; // never empty: timestamp is there
    std::string id_text;
    append_json_string(id_text, std::string_view{job.id}.substr(0, job.id.rfind(':') + 1));
    id_text.pop_back();
    next.opts += "\"jobId\":" + id_text;
    return iteration_verdict::create;
}

} // namespace tiktrend::queue
