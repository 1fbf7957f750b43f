#include "live_steps.hpp"

#include "wire.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/queue_getters.hpp>

#include <algorithm>
#include <stdexcept>

namespace tiktrend::interop {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 10s;

} // namespace

live_worker::live_worker(asio::any_io_executor executor, const redis::address& where,
                         const std::string& queue, queue::worker_options options)
    : executor_{executor}, changed_{executor},
      worker_{executor, where, queue, [this](queue::active_job& job) { return process(job); },
              std::move(options)} {}

task<void> live_worker::stop() {
    const auto now = std::chrono::steady_clock::now();
    co_await worker_.stop(now, now + 5s); // what is held goes back
}

task<std::string> live_worker::process(queue::active_job& job) {
    const auto id = job.id();
    held_.erase(id);
    auto& held = held_.try_emplace(id, executor_).first->second;
    changed_.notify_all();
    co_await held.released.wait();
    const auto result = held.result, error = held.error;
    held_.erase(id);
    if (!error.empty()) throw std::runtime_error(error);
    co_return result;
}

task<void> live_worker::release(const json::object& step) {
    const auto id = id_of(step);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!held_.contains(id))
        if (!co_await changed_.wait_until(deadline))
            throw std::runtime_error("job " + id + " does not run here");
    auto& held = held_.at(id);
    if (const auto* result = step.if_contains("result")) held.result = json::serialize(*result);
    held.error = text(step, "error");
    held.released.set();
}

task<void> live_steps::stop() {
    for (auto& [name, w] : workers_)
        co_await w->stop();
    workers_.clear();
    for (auto& [name, w] : waiters_)
        co_await w->stop();
    co_await tasks_.join();
    waiters_.clear();
    waits_.clear();
}

task<json::value> live_steps::run_worker(queue::queue& q, const json::object& step) {
    queue::worker_options options;
    if (const auto* given = step.if_contains("options")) options = worker_options_of(given->as_object());
    options.prefix = q.options().prefix;
    options.name = text(step, "worker", "w");
    options.clock = q.options().clock;
    options.run_stalled_check = false; // a step of its own
    auto& slot = workers_[q.key_base() + options.name];
    slot = std::make_unique<live_worker>(executor_, where_, q.name(), options);
    slot->start();
    co_return nullptr;
}

task<void> live_steps::wait_for(queue::job_waiter& waiter, std::string id, std::chrono::milliseconds ttl,
                                waiting& w) {
    try {
        w.answer = json::object{{"value", json::parse(co_await waiter.wait(id, ttl))}};
    } catch (const queue::job_failed_error& e) {
        w.answer = json::object{{"failed", e.what()}};
    } catch (const system_error& e) {
        w.answer = json::object{{e.code() == tiktrend::errc::timed_out ? "timeout" : "error", true}};
    }
    w.done.set();
}

task<json::value> live_steps::begin_wait(queue::queue& q, const json::object& step) {
    auto& waiter = waiters_[q.key_base()];
    if (!waiter) {
        waiter = std::make_unique<queue::job_waiter>(q);
        waiter->start();
    }
    const auto id = id_of(step);
    auto& w = waits_.try_emplace(id, executor_).first->second;
    tasks_.spawn("wait", wait_for(*waiter, id, std::chrono::milliseconds{integer(step, "ttl", 10'000)}, w));
    co_return nullptr;
}

/// Full names, once there are as many as expected.
task<json::value> live_steps::clients(queue::queue& q, std::string_view verb, std::size_t count) {
    queue::queue_getters getters{q};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::vector<std::string> names;
    do {
        names.clear();
        const auto found =
            verb == "workers" ? co_await getters.workers() : co_await getters.event_listeners();
        for (const auto& c : found)
            names.push_back(c.raw_name);
        if (names.size() != count) co_await sleep_for(5ms);
    } while (names.size() != count && std::chrono::steady_clock::now() < deadline);
    std::sort(names.begin(), names.end());
    co_return json::array(names.begin(), names.end());
}

task<step_answer> live_steps::carry_out(queue::queue& q, std::string_view verb, const json::object& step) {
    if (verb == "run_worker") co_return co_await run_worker(q, step);
    if (verb == "begin_wait") co_return co_await begin_wait(q, step);
    if (verb == "end_wait") {
        auto& w = waits_.at(id_of(step));
        if (!co_await w.done.wait_for(patience))
            throw std::runtime_error("the wait for " + id_of(step) + " goes on");
        auto answer = std::move(w.answer);
        waits_.erase(id_of(step));
        co_return answer;
    }
    if (verb == "workers" || verb == "listeners")
        co_return co_await clients(q, verb, static_cast<std::size_t>(integer(step, "count")));

    const auto found = workers_.find(q.key_base() + text(step, "worker", "w"));
    if (found == workers_.end()) co_return std::nullopt;
    auto& worker = *found->second;
    if (verb == "worker_is_paused") co_return worker.handle().is_paused();
    if (verb == "cancel_job") co_return worker.handle().cancel(id_of(step), text(step, "reason"));
    if (verb == "release")
        co_await worker.release(step);
    else if (verb == "worker_pause")
        worker.handle().pause();
    else if (verb == "worker_resume")
        worker.handle().resume();
    else if (verb == "cancel_all_jobs")
        worker.handle().cancel_all(text(step, "reason"));
    else if (verb == "set_worker_concurrency")
        worker.handle().set_concurrency(static_cast<std::size_t>(integer(step, "concurrency")));
    else if (verb == "close_worker") {
        co_await worker.stop();
        workers_.erase(found);
    } else {
        co_return std::nullopt;
    }
    co_return json::value{};
}

} // namespace tiktrend::interop
