// queue_getters: what ended per minute, and the numbers in Prometheus' text form.
#include "queue_call.hpp"

#include <tiktrend/queue/queue_getters.hpp>

namespace tiktrend::queue {
namespace {

/// A label's value (Prometheus exposition format, "Comments, help text, and type information").
std::string escaped(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out;
}

bool is_label_name(std::string_view name) {
    if (name.empty() || name.starts_with("__")) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && !(i > 0 && c >= '0' && c <= '9')) return false;
    }
    return true;
}

void append_counter(std::string& out, std::string_view state, std::string_view labels, std::int64_t count) {
    const auto name = "bullmq_job_" + std::string{state} + "_total";
    out += "# HELP " + name + " Total number of " + std::string{state} + " jobs\n";
    out += "# TYPE " + name + " counter\n";
    out.append(name).append("{").append(labels).append("} ") += std::to_string(count) + "\n";
}

} // namespace

task<queue_metrics> queue_getters::metrics(job_state state, std::int64_t start, std::int64_t end) {
    check_finished("state", state);
    const auto key = queue_->key_base() + "metrics:" + std::string{to_string(state)};
    const redis::command commands[]{redis::command{"HMGET", key, "count", "prevTS", "prevCount"},
                                    redis::command{"LRANGE", key + ":data", start, end},
                                    redis::command{"LLEN", key + ":data"}};
    const auto replies = co_await queue_->client().exec_all(commands);
    queue_metrics out;
    const auto& meta = replies.at(0);
    out.count = meta[0].integer();
    out.previous_ts_ms = meta[1].integer();
    out.previous_count = meta[2].integer();
    for (std::size_t i = 0; i < replies.at(1).size(); ++i)
        out.data.push_back(replies.at(1)[i].integer());
    out.points = replies.at(2).integer();
    co_return out;
}

task<std::string> queue_getters::export_prometheus_metrics(std::map<std::string, std::string> labels) {
    std::string more;
    for (const auto& [name, value] : labels) {
        if (!is_label_name(name) || name == "queue" || name == "state")
            throw input_error(errc::invalid_argument, "label", "\"" + name + "\"",
                              "[A-Za-z_][A-Za-z0-9_]*, not queue and not state");
        more += ", " + name + "=\"" + escaped(value) + "\"";
    }
    const auto by_state = co_await counts();
    static constexpr job_state order[]{job_state::active,          job_state::completed,   job_state::delayed,
                                       job_state::failed,          job_state::prioritized, job_state::waiting,
                                       job_state::waiting_children};
    const auto completed = co_await metrics(job_state::completed, 0, 0);
    const auto failed = co_await metrics(job_state::failed, 0, 0);
    const auto of_queue = "queue=\"" + escaped(queue_->name()) + "\"";
    std::string out = "# HELP bullmq_job_count Number of jobs in the queue by state\n"
                      "# TYPE bullmq_job_count gauge\n";
    for (const auto state : order)
        out.append("bullmq_job_count{" + of_queue + ", state=\"")
            .append(to_string(state))
            .append("\"" + more + "} " + std::to_string(by_state.at(state)) + "\n");
    append_counter(out, "completed", of_queue + more, completed.count);
    append_counter(out, "failed", of_queue + more, failed.count);
    co_return out;
}

} // namespace tiktrend::queue
