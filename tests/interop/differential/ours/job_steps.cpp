#include "hand_worker.hpp"
#include "steps.hpp"
#include "wire.hpp"

#include <tiktrend/queue/job_operations.hpp>
#include <tiktrend/queue/queue_getters.hpp>

namespace tiktrend::interop {
namespace {

json::object parsed_values(const std::map<std::string, std::string>& values) {
    json::object out;
    for (const auto& [key, value] : values)
        out[key] = json::parse(value);
    return out;
}

} // namespace

task<step_answer> getter_step(queue::queue& q, std::string_view verb, const json::object& step) {
    queue::queue_getters getters{q};
    if (verb == "counts") co_return describe(co_await q.counts());
    if (verb == "count") co_return co_await getters.count();
    if (verb == "state") co_return json::string{to_string(co_await q.get_state(id_of(step)))};
    if (verb == "job") {
        const auto found = co_await q.get_job(id_of(step));
        if (!found) throw system_error(queue::errc::job_not_found, "job " + id_of(step));
        co_return describe_job(*found);
    }
    if (verb == "counts_per_priority") {
        std::vector<std::int32_t> priorities;
        for (const auto& p : step.at("priorities").as_array())
            priorities.push_back(p.to_number<std::int32_t>());
        json::object out;
        for (const auto& [priority, n] : co_await getters.counts_per_priority(std::move(priorities)))
            out[std::to_string(priority)] = n;
        co_return out;
    }
    if (verb == "jobs") {
        std::vector<queue::job_state> states;
        for (const auto& s : step.at("states").as_array())
            states.push_back(job_state_of(s.as_string()));
        json::array ids;
        for (const auto& job : co_await getters.jobs(std::move(states), integer(step, "start"),
                                                     integer(step, "end", -1), flag(step, "ascending")))
            ids.emplace_back(job.id);
        co_return ids;
    }
    if (verb == "logs") {
        const auto logs =
            co_await getters.logs(id_of(step), integer(step, "start"), integer(step, "end", -1));
        co_return json::object{{"logs", json::array(logs.rows.begin(), logs.rows.end())},
                               {"count", logs.count}};
    }
    if (verb == "metrics") {
        const auto m = co_await getters.metrics(job_state_of(text(step, "state")));
        co_return json::object{
            {"meta",
             json::object{{"count", m.count}, {"prevTS", m.previous_ts_ms}, {"prevCount", m.previous_count}}},
            {"data", json::array(m.data.begin(), m.data.end())},
            {"count", m.points}};
    }
    if (verb == "prometheus") {
        std::map<std::string, std::string> labels;
        if (const auto* given = step.if_contains("labels"))
            for (const auto& [name, value] : given->as_object())
                labels[std::string{name}] = std::string{value.as_string()};
        auto lines = co_await getters.export_prometheus_metrics(std::move(labels));
        lines.pop_back(); // the line feed at the end, which BullMQ's text has not (libs/queue/README.md)
        co_return json::string{lines};
    }
    if (verb == "children_values") co_return parsed_values(co_await getters.children_values(id_of(step)));
    if (verb == "ignored_failures") {
        json::object out;
        for (const auto& [key, reason] : co_await getters.ignored_children_failures(id_of(step)))
            out[key] = reason;
        co_return out;
    }
    if (verb == "dependency_counts") {
        const auto n = co_await getters.dependencies_count(id_of(step));
        co_return json::object{{"processed", n.processed},
                               {"unprocessed", n.unprocessed},
                               {"ignored", n.ignored},
                               {"failed", n.failed}};
    }
    if (verb == "deduplication_owner") {
        const auto owner = co_await getters.deduplication_job_id(id_of(step));
        co_return owner ? json::value(*owner) : json::value{};
    }
    co_return std::nullopt;
}

// Public moves with a lock token, without a worker's handling of errors.
task<json::value> finish_by_hand(queue::job_operations& job, const json::object& step) {
    const queue::lock_token token{text(step, "as", text(step, "token", "T"))};
    if (step.contains("error")) {
        co_await job.move_to_failed(id_of(step), text(step, "error"), token, flag(step, "unrecoverable"));
    } else if (step.contains("delay_until")) {
        co_await job.move_to_delayed(id_of(step), integer(step, "delay_until"), token);
    } else if (step.contains("to_wait")) {
        co_await job.move_to_wait(id_of(step), token);
    } else if (step.contains("to_waiting_children")) {
        co_return co_await job.move_to_waiting_children(id_of(step), token);
    } else {
        const auto* result = step.if_contains("result");
        co_await job.move_to_completed(id_of(step), result ? json::serialize(*result) : "null", token);
    }
    co_return nullptr;
}

task<step_answer> job_step(queue::queue& q, std::string_view verb, const json::object& step) {
    queue::job_operations job{q};
    if (verb == "finish_by_hand") co_return co_await finish_by_hand(job, step);
    if (verb == "log") co_return co_await q.add_log(id_of(step), text(step, "row"), integer(step, "keep"));
    if (verb == "remove") co_return co_await job.remove(id_of(step), flag(step, "children", true)) ? 1 : 0;
    if (verb == "remove_child_dependency") co_return co_await job.remove_child_dependency(id_of(step));
    if (verb == "remove_own_deduplication_key") co_return co_await job.remove_deduplication_key(id_of(step));
    if (verb == "progress") {
        co_await q.update_progress(id_of(step), json::serialize(step.at("value")));
    } else if (verb == "update_data") {
        co_await q.update_data(id_of(step), json::serialize(step.at("data")));
    } else if (verb == "promote") {
        co_await q.promote(id_of(step));
    } else if (verb == "change_delay") {
        co_await job.change_delay(id_of(step), std::chrono::milliseconds{integer(step, "delay")});
    } else if (verb == "change_priority") {
        queue::priority_change change;
        change.priority = static_cast<std::int32_t>(integer(step, "priority"));
        change.lifo = flag(step, "lifo");
        co_await job.change_priority(id_of(step), change);
    } else if (verb == "clear_logs") {
        co_await job.clear_logs(id_of(step), integer(step, "keep"));
    } else if (verb == "retry") {
        queue::retry_options options;
        options.from = job_state_of(text(step, "state", "failed"));
        options.reset_attempts_made = flag(step, "reset_made");
        options.reset_attempts_started = flag(step, "reset_started");
        co_await job.retry(id_of(step), options);
    } else if (verb == "remove_unprocessed_children") {
        co_await job.remove_unprocessed_children(id_of(step));
    } else {
        co_return std::nullopt;
    }
    co_return json::value{};
}

} // namespace tiktrend::interop
