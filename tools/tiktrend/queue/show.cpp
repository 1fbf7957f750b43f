#include "show.hpp"

#include <tiktrend/base/json_text.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace tiktrend::cli {

namespace json = boost::json;

json::value json_or_text(std::string_view text) {
    json::error_code e;
    auto value = json::parse({text.data(), text.size()}, e);
    if (e) return json::string(repair_utf8(text));
    return value;
}

json::object to_json(const queue::job_record& job, std::optional<queue::job_state> state) {
    json::object o;
    const auto text = [&](const char* name, const std::string& value) {
        if (!value.empty()) o[name] = repair_utf8(value);
    };
    const auto parsed = [&](const char* name, const std::string& value) {
        if (!value.empty()) o[name] = json_or_text(value);
    };
    o["id"] = job.id;
    text("name", job.name);
    if (state) o["state"] = to_string(*state);
    parsed("data", job.data);
    parsed("opts", job.opts);
    o["timestamp"] = job.timestamp_ms;
    o["delay"] = job.delay_ms;
    o["priority"] = job.priority;
    o["attemptsMade"] = job.attempts_made;
    o["attemptsStarted"] = job.attempts_started;
    o["stalledCounter"] = job.stalled_counter;
    if (job.processed_on_ms) o["processedOn"] = *job.processed_on_ms;
    if (job.finished_on_ms) o["finishedOn"] = *job.finished_on_ms;
    text("processedBy", job.processed_by);
    parsed("progress", job.progress);
    parsed("returnvalue", job.return_value);
    text("failedReason", job.failed_reason);
    if (!job.stacktrace.empty()) {
        json::array stack;
        for (const auto& line : job.stacktrace)
            stack.emplace_back(repair_utf8(line));
        o["stacktrace"] = std::move(stack);
    }
    text("deferredFailure", job.deferred_failure);
    text("parentKey", job.parent_key);
    text("schedulerId", job.scheduler_id);
    text("deduplicationId", job.deduplication_id);
    return o;
}

void print(const json::value& value) {
    fmt::print("{}\n", json::serialize(value));
}

std::string printable(std::string_view text, std::size_t width) {
    std::string out;
    const auto repaired = repair_utf8(text);
    std::size_t characters = 0;
    for (const char c : repaired) {
        const auto byte = static_cast<unsigned char>(c);
        const bool starts_character = (byte & 0xC0) != 0x80;
        if (starts_character && characters++ == width) return out + "…";
        if (byte < 0x20 || byte == 0x7F)
            out += fmt::format("\\x{:02x}", byte);
        else
            out += c;
    }
    return out;
}

std::string time_of(std::int64_t unix_ms) {
    if (unix_ms == 0) return "-";
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(unix_ms / 1000)),
                       unix_ms % 1000);
}

} // namespace tiktrend::cli
