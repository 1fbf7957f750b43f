#include "stage.hpp"

#include "wire.hpp"

#include <stdexcept>

namespace tiktrend::interop {
namespace {

/// As the Node side's Math.random.
class constant_random final : public random_source {
public:
    double next() override { return 0.5; }
};

std::string text(const json::object& step, std::string_view name, std::string fallback) {
    const auto* value = step.if_contains(name);
    return value ? std::string{value->as_string()} : std::move(fallback);
}

std::int64_t integer(const json::object& step, std::string_view name, std::int64_t fallback) {
    const auto* value = step.if_contains(name);
    return value ? value->to_number<std::int64_t>() : fallback;
}

std::string id_of(const json::object& step) {
    return std::string{step.at("id").as_string()};
}

redis::client_options patient() {
    redis::client_options o;
    o.wait_for_connection = true;
    return o;
}

} // namespace

stage::stage(asio::any_io_executor executor, redis::address where, std::string prefix)
    : client_{executor, std::move(where), patient()}, prefix_{std::move(prefix)},
      random_{std::make_shared<constant_random>()} {}

task<stage::open_queue*> stage::opened(const json::object& step) {
    const auto name = text(step, "queue", "q");
    if (const auto found = queues_.find(name); found != queues_.end()) co_return &found->second;
    queue::queue_options options;
    options.prefix = prefix_;
    options.clock = &clock_;
    if (const auto* given = step.if_contains("options"); given && step.at("do") == "open")
        if (const auto* defaults = given->as_object().if_contains("defaultJobOptions"))
            options.defaults = job_options_of(defaults->as_object());
    auto& q = queues_
                  .emplace(name, open_queue{queue::queue_keys{prefix_, name},
                                            std::make_unique<queue::queue>(client_, name, options)})
                  .first->second;
    co_await q.handle->initialize();
    co_return &q;
}

hand_worker& stage::worker_of(open_queue& q, const json::object& step) {
    const auto name = text(step, "worker", "w");
    auto& slot = workers_[q.keys.base() + name];
    if (!slot) {
        queue::worker_options options;
        if (const auto* given = step.if_contains("options")) options = worker_options_of(given->as_object());
        options.prefix = prefix_;
        options.name = name;
        options.clock = &clock_;
        options.random = random_;
        slot = std::make_unique<hand_worker>(client_, q.keys, std::move(options));
    }
    return *slot;
}

task<json::value> stage::carry_out(json::object step) {
    const std::string verb{step.at("do").as_string()};
    if (verb == "reset") {
        workers_.clear();
        queues_.clear();
        co_return nullptr;
    }
    if (verb == "clock") {
        clock_.set(integer(step, "at", 0));
        co_return nullptr;
    }
    auto* q = co_await opened(step);
    if (verb == "fetch" || verb == "finish" || verb == "finish_by_hand" || verb == "stalled_check" || verb == "renew")
        co_return co_await worker_step(*q, verb, step);
    co_return co_await queue_step(*q, verb, step);
}

task<json::value> stage::worker_step(open_queue& q, std::string_view verb, const json::object& step) {
    auto& worker = worker_of(q, step);
    const auto token = text(step, "token", "T");
    if (verb == "fetch") co_return co_await worker.fetch(token);
    if (verb == "renew") {
        std::vector<std::string> ids;
        for (const auto& id : step.at("ids").as_array())
            ids.emplace_back(id.as_string());
        co_return co_await worker.renew(std::move(ids), token);
    }
    if (verb == "stalled_check") {
        co_await worker.stalled_check();
        co_return nullptr;
    }
    co_return co_await worker.finish(step, token);
}

task<json::value> stage::queue_step(open_queue& q, std::string_view verb, const json::object& step) {
    auto& handle = *q.handle;
    if (verb == "open") co_return nullptr;
    if (verb == "add") {
        auto job = step;
        if (!job.contains("name")) job["name"] = "job";
        if (!job.contains("data")) job["data"] = json::object{};
        co_return json::string{co_await handle.add(new_job_of(job))};
    }
    if (verb == "add_bulk") {
        std::vector<queue::new_job> jobs;
        for (const auto& job : step.at("jobs").as_array())
            jobs.push_back(new_job_of(job.as_object()));
        json::array ids;
        for (const auto& id : co_await handle.add_bulk(std::move(jobs)))
            ids.emplace_back(id.value());
        co_return ids;
    }
    if (verb == "pause") {
        co_await handle.pause();
        co_return nullptr;
    }
    if (verb == "resume") {
        co_await handle.resume();
        co_return nullptr;
    }
    if (verb == "is_paused") co_return co_await handle.is_paused();
    if (verb == "jobs" && step.at("states").as_array().size() == 1) {
        json::array ids;
        for (const auto& id :
             co_await handle.ids(job_state_of(step.at("states").as_array()[0].as_string()),
                                 integer(step, "start", 0), integer(step, "end", -1), step.contains("ascending")))
            ids.emplace_back(id);
        co_return ids;
    }
    if (verb == "counts") co_return describe(co_await handle.counts());
    co_return co_await job_step(q, verb, step);
}

task<json::value> stage::job_step(open_queue& q, std::string_view verb, const json::object& step) {
    auto& handle = *q.handle;
    if (verb == "state") co_return json::string{to_string(co_await handle.get_state(id_of(step)))};
    if (verb == "job") {
        const auto found = co_await handle.get_job(id_of(step));
        if (!found) throw system_error(queue::errc::job_not_found, "job " + id_of(step));
        co_return describe_job(*found);
    }
    if (verb == "logs") {
        const auto logs = co_await handle.logs(id_of(step), integer(step, "start", 0), integer(step, "end", -1));
        co_return json::object{{"logs", json::array(logs.rows.begin(), logs.rows.end())}, {"count", logs.count}};
    }
    if (verb == "remove") co_return co_await handle.remove(id_of(step)) ? 1 : 0;
    if (verb == "log") co_return co_await handle.add_log(id_of(step), text(step, "row", ""), integer(step, "keep", 0));
    if (verb == "progress")
        co_await handle.update_progress(id_of(step), json::serialize(step.at("value")));
    else if (verb == "update_data")
        co_await handle.update_data(id_of(step), json::serialize(step.at("data")));
    else if (verb == "promote")
        co_await handle.promote(id_of(step));
    else if (verb == "retry")
        co_await handle.retry(id_of(step), job_state_of(text(step, "state", "failed")));
    else
        throw std::runtime_error("the actor does not know the step " + std::string{verb});
    co_return nullptr;
}

} // namespace tiktrend::interop
