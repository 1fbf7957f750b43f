#include "record.hpp"

#include <charconv>

namespace tiktrend::queue {
namespace {

std::int64_t number(std::string_view text) noexcept {
    std::int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

std::int32_t small(std::string_view text) noexcept {
    return static_cast<std::int32_t>(number(text));
}

} // namespace

job_record read_record(std::string_view id, const redis::reply::view& fields, std::size_t size,
                       options_reader& options, json_checker& json) {
    job_record r;
    r.id = id;
    std::string_view stacktrace;
    bool has_old_count = false;
    for (std::size_t i = 0; i + 1 < size; i += 2) {
        const auto field = fields[i].text();
        const auto value = fields[i + 1].text();
        if (field == "name")
            r.name = value;
        else if (field == "data")
            r.data = value;
        else if (field == "opts")
            r.opts = value;
        else if (field == "timestamp")
            r.timestamp_ms = number(value);
        else if (field == "delay")
            r.delay_ms = number(value);
        else if (field == "priority")
            r.priority = small(value);
        else if (field == "atm") {
            if (!has_old_count) r.attempts_made = small(value);
        } else if (field == "attemptsMade") { // never written today; preferred where an old client left it
            r.attempts_made = small(value);
            has_old_count = true;
        } else if (field == "ats")
            r.attempts_started = small(value);
        else if (field == "stc")
            r.stalled_counter = small(value);
        else if (field == "processedOn")
            r.processed_on_ms = number(value);
        else if (field == "finishedOn")
            r.finished_on_ms = number(value);
        else if (field == "pb")
            r.processed_by = value;
        else if (field == "progress")
            r.progress = value;
        else if (field == "returnvalue")
            r.return_value = value;
        else if (field == "failedReason")
            r.failed_reason = value;
        else if (field == "stacktrace")
            stacktrace = value;
        else if (field == "defa")
            r.deferred_failure = value;
        else if (field == "parentKey")
            r.parent_key = value;
        else if (field == "parent")
            r.parent = value;
        else if (field == "rjk")
            r.scheduler_id = value;
        else if (field == "deid")
            r.deduplication_id = value;
        else
            r.other.emplace_back(field, value);
    }
    const auto& stored = options.read(r.opts);
    r.attempts = stored.attempts;
    r.telemetry_metadata = stored.telemetry_metadata;
    if (stacktrace.size() > 2) r.stacktrace = json.texts(stacktrace);
    return r;
}

std::string_view to_string(job_state s) noexcept {
    switch (s) {
    case job_state::waiting:
        return "waiting";
    case job_state::active:
        return "active";
    case job_state::completed:
        return "completed";
    case job_state::failed:
        return "failed";
    case job_state::delayed:
        return "delayed";
    case job_state::prioritized:
        return "prioritized";
    case job_state::waiting_children:
        return "waiting-children";
    case job_state::unknown:
        break;
    }
    return "unknown";
}

job_state state_from(std::string_view name) noexcept {
    for (const auto s : {job_state::waiting, job_state::active, job_state::completed, job_state::failed,
                         job_state::delayed, job_state::prioritized, job_state::waiting_children})
        if (name == to_string(s)) return s;
    return job_state::unknown;
}

} // namespace tiktrend::queue
