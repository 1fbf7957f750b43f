#include "job_json.hpp"

#include "json_writer.hpp"

#include <fmt/format.h>

#include <ctime>
#include <string_view>

namespace tiktrend::gateway {
std::string rfc3339(std::int64_t unix_ms) {
    auto seconds = static_cast<std::time_t>(unix_ms / 1000);
    auto ms = unix_ms % 1000;
    if (ms < 0) {
        ms += 1000;
        --seconds;
    }
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ms);
}

bool is_final(queue::job_state state) noexcept {
    return state == queue::job_state::completed || state == queue::job_state::failed;
}

namespace {

void write_job(json_object_writer& w, const queue::job_record& job, queue::job_state state) {
    w.text("job_id", job.id);
    w.text("name", job.name);
    w.text("state", queue::to_string(state));
    w.json("progress", job.progress);
    w.json("data", job.data);
    w.integer("priority", job.priority);
    w.integer("delay_ms", job.delay_ms);
    w.integer("attempts_made", job.attempts_made);
    w.integer("attempts_started", job.attempts_started);
    w.integer("attempts", job.attempts);
    w.integer("stalled", job.stalled_counter);
    w.time("created_at", job.timestamp_ms);
    w.time("started_at", job.processed_on_ms);
    w.time("finished_at", job.finished_on_ms);
    w.json("result",
           state == queue::job_state::completed ? std::string_view{job.return_value} : std::string_view{});
    // A failed attempt that will be retried leaves its reason too: it helps whoever waits.
    std::string reason;
    if (!job.failed_reason.empty()) append_json_string(reason, job.failed_reason);
    w.json("failed_reason", reason);
}

std::string text_array(const std::vector<std::string>& rows) {
    std::string out = "[";
    for (const auto& row : rows) {
        if (out.size() > 1) out += ',';
        append_json_string(out, row);
    }
    return out + ']';
}

} // namespace

std::string job_to_json(const queue::job_record& job, queue::job_state state) {
    json_object_writer w;
    write_job(w, job, state);
    return w.take();
}

std::string job_to_json(const queue::job_record& job, queue::job_state state, const queue::job_logs& logs) {
    json_object_writer w;
    write_job(w, job, state);
    w.json("stacktrace", text_array(job.stacktrace));
    w.json("logs", text_array(logs.rows));
    w.integer("log_rows", logs.count);
    return w.take();
}

} // namespace tiktrend::gateway
