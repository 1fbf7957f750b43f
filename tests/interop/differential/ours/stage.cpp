#include "stage.hpp"

#include "steps.hpp"
#include "wire.hpp"

#include <stdexcept>

namespace tiktrend::interop {
namespace {

/// As the Node side's Math.random.
class constant_random final : public random_source {
public:
    double next() override { return 0.5; }
};

redis::client_options patient() {
    redis::client_options o;
    o.wait_for_connection = true;
    return o;
}

} // namespace

stage::stage(asio::any_io_executor executor, redis::address where, std::string prefix)
    : client_{executor, where, patient()}, prefix_{std::move(prefix)},
      random_{std::make_shared<constant_random>()}, live_{executor, where} {}

task<void> stage::stop() {
    co_await live_.stop();
    co_await client_.stop();
}

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
        co_await live_.stop();
        workers_.clear();
        queues_.clear();
        co_return nullptr;
    }
    if (verb == "clock") {
        clock_.set(integer(step, "at", 0));
        co_return nullptr;
    }
    auto* q = co_await opened(step);
    if (verb == "fetch" || verb == "finish" || verb == "stalled_check" || verb == "renew")
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
    if (auto answer = co_await live_.carry_out(*q.handle, verb, step)) co_return std::move(*answer);
    using group = task<step_answer> (*)(queue::queue&, std::string_view, const json::object&);
    static constexpr group groups[]{producer_step, job_step,  getter_step,   settings_step,
                                    admin_step,    flow_step, scheduler_step};
    for (const auto carry_out_in : groups)
        if (auto answer = co_await carry_out_in(*q.handle, verb, step)) co_return std::move(*answer);
    throw std::runtime_error("the actor does not know the step " + std::string{verb});
}

} // namespace tiktrend::interop
