#include "steps.hpp"

#include "wire.hpp"

namespace tiktrend::interop {

std::string text(const json::object& step, std::string_view name, std::string fallback) {
    const auto* value = step.if_contains(name);
    return value ? std::string{value->as_string()} : std::move(fallback);
}

std::int64_t integer(const json::object& step, std::string_view name, std::int64_t fallback) {
    const auto* value = step.if_contains(name);
    return value ? value->to_number<std::int64_t>() : fallback;
}

bool flag(const json::object& step, std::string_view name, bool fallback) {
    const auto* value = step.if_contains(name);
    return value ? value->as_bool() : fallback;
}

std::string id_of(const json::object& step) {
    return std::string{step.at("id").as_string()};
}

task<step_answer> producer_step(queue::queue& q, std::string_view verb, const json::object& step) {
    if (verb == "open") co_return json::value{};
    if (verb == "add") {
        auto job = step;
        if (!job.contains("name")) job["name"] = "job";
        if (!job.contains("data")) job["data"] = json::object{};
        co_return json::string{co_await q.add(new_job_of(job))};
    }
    if (verb == "add_bulk") {
        std::vector<queue::new_job> jobs;
        for (const auto& job : step.at("jobs").as_array())
            jobs.push_back(new_job_of(job.as_object()));
        json::array ids;
        for (const auto& id : co_await q.add_bulk(std::move(jobs)))
            ids.emplace_back(id.value());
        co_return ids;
    }
    if (verb == "is_paused") co_return co_await q.is_paused();
    if (verb == "pause") {
        co_await q.pause();
        co_return json::value{};
    }
    if (verb == "resume") {
        co_await q.resume();
        co_return json::value{};
    }
    co_return std::nullopt;
}

} // namespace tiktrend::interop
