#include "queue_call.hpp"

#include <tiktrend/queue/job_operations.hpp>

#include <simdjson.h>

#include <limits>

namespace tiktrend::queue {
namespace {

std::string now_on(const queue& q) {
    return std::to_string(q.options().clock->now_ms());
}

} // namespace

task<void> job_operations::change_delay(std::string id, std::chrono::milliseconds delay) {
    check_job_id(id);
    check_delay("delay", delay);
    co_await run_code_on(*queue_, scripts::all().change_delay,
                         {id, now_on(*queue_), std::to_string(delay.count())}, "change_delay of job " + id);
}

task<void> job_operations::change_priority(std::string id, priority_change change) {
    check_job_id(id);
    check_priority(change.priority);
    co_await run_code_on(*queue_, scripts::all().change_priority,
                         {id, std::to_string(change.priority), change.lifo ? "1" : "0"},
                         "change_priority of job " + id);
}

task<void> job_operations::clear_logs(std::string id, std::int64_t keep) {
    check_job_id(id);
    check_number("keep", keep, 0, std::numeric_limits<std::int32_t>::max());
    const auto key = keys_of(*queue_).logs(id);
    if (keep > 0)
        co_await exec_on(*queue_, redis::command{"LTRIM", key, -keep, -1});
    else
        co_await exec_on(*queue_, redis::command{"DEL", key});
}

task<void> job_operations::retry(std::string id, retry_options options) {
    check_job_id(id);
    check_finished("from", options.from);
    std::vector<std::string> args{id, std::string{to_string(options.from)}};
    if (options.reset_attempts_made) args.emplace_back("atm");
    if (options.reset_attempts_started) args.emplace_back("ats");
    co_await run_code_on(*queue_, scripts::all().retry, std::move(args), "retry of job " + id);
}

task<bool> job_operations::remove(std::string id, bool with_children) {
    check_job_id(id);
    co_return co_await run_code_on(*queue_, scripts::all().remove,
                                   {id, now_on(*queue_), with_children ? "1" : "0"},
                                   "remove of job " + id) == 1;
}

task<std::size_t> job_operations::remove_unprocessed_children(std::string id) {
    check_job_id(id);
    co_return static_cast<std::size_t>(
        co_await run_code_on(*queue_, scripts::all().remove_unprocessed_children, {id, now_on(*queue_)},
                             "remove_unprocessed_children of job " + id));
}

task<bool> job_operations::remove_child_dependency(std::string id) {
    check_job_id(id);
    co_return co_await run_code_on(*queue_, scripts::all().remove_child_dependency, {id, now_on(*queue_)},
                                   "remove_child_dependency of job " + id) == 0;
}

task<bool> job_operations::remove_deduplication_key(std::string id) {
    check_job_id(id);
    co_return co_await run_code_on(*queue_, scripts::all().free_deduplication_id, {id},
                                   "remove_deduplication_key of job " + id) == 1;
}

task<bool> job_operations::is_in(std::string id, job_state state) {
    const auto found = co_await queue_->get_state(std::move(id));
    co_return found == state;
}

task<bool> job_operations::is_completed(std::string id) {
    return is_in(std::move(id), job_state::completed);
}
task<bool> job_operations::is_failed(std::string id) {
    return is_in(std::move(id), job_state::failed);
}
task<bool> job_operations::is_delayed(std::string id) {
    return is_in(std::move(id), job_state::delayed);
}
task<bool> job_operations::is_active(std::string id) {
    return is_in(std::move(id), job_state::active);
}
task<bool> job_operations::is_waiting(std::string id) {
    const auto found = co_await queue_->get_state(std::move(id));
    co_return found == job_state::waiting || found == job_state::prioritized;
}
task<bool> job_operations::is_waiting_children(std::string id) {
    return is_in(std::move(id), job_state::waiting_children);
}

std::optional<parent_link> parent_of(const job_record& job) {
    simdjson::dom::parser parser;
    simdjson::dom::object link;
    if (job.parent.empty() || parser.parse(job.parent).get(link) != simdjson::SUCCESS) return {};
    const auto text = [&](const char* name) {
        std::string_view value;
        return link[name].get(value) == simdjson::SUCCESS ? std::string{value} : std::string{};
    };
    const auto flag = [&](const char* name) {
        bool value = false;
        return link[name].get(value) == simdjson::SUCCESS && value;
    };
    parent_link out;
    out.id = text("id");
    out.queue_key = text("queueKey");
    if (out.id.empty() || out.queue_key.empty()) return {};
    out.fail_parent = flag("fpof");
    out.continue_parent = flag("cpof");
    out.ignore_dependency = flag("idof");
    out.remove_dependency = flag("rdof");
    return out;
}

} // namespace tiktrend::queue
