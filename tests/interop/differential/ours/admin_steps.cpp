#include "steps.hpp"
#include "wire.hpp"

#include <tiktrend/queue/queue_admin.hpp>
#include <tiktrend/queue/queue_settings.hpp>

namespace tiktrend::interop {
namespace {

queue::job_state cleaned_state(const json::object& step) {
    const auto name = text(step, "state", "completed");
    return job_state_of(name == "wait" ? "waiting" : name);
}

} // namespace

task<step_answer> settings_step(queue::queue& q, std::string_view verb, const json::object& step) {
    queue::queue_settings settings{q};
    if (verb == "is_maxed") co_return co_await settings.is_maxed();
    if (verb == "concurrency") {
        const auto n = co_await settings.global_concurrency();
        co_return n ? json::value(*n) : json::value();
    }
    if (verb == "rate_limit_ttl") {
        const auto max = step.contains("max") ? std::optional{integer(step, "max")} : std::nullopt;
        co_return (co_await settings.rate_limit_ttl(max)).count() > 0 ? 1 : 0;
    }
    if (verb == "set_concurrency")
        co_await settings.set_global_concurrency(integer(step, "concurrency"));
    else if (verb == "remove_concurrency")
        co_await settings.remove_global_concurrency();
    else if (verb == "set_rate_limit")
        co_await settings.set_global_rate_limit(
            queue::rate_limit{integer(step, "max"), std::chrono::milliseconds{integer(step, "duration")}});
    else if (verb == "remove_rate_limit")
        co_await settings.remove_global_rate_limit();
    else if (verb == "rate_limit")
        co_await settings.limit_now(std::chrono::milliseconds{integer(step, "ms")});
    else if (verb == "remove_rate_limit_key")
        co_await settings.remove_rate_limit_key();
    else
        co_return std::nullopt;
    co_return json::value{};
}

task<step_answer> admin_step(queue::queue& q, std::string_view verb, const json::object& step) {
    queue::queue_admin admin{q};
    if (verb == "clean") {
        json::array ids;
        const std::chrono::milliseconds grace{integer(step, "grace")};
        const auto limit = static_cast<std::size_t>(integer(step, "limit"));
        for (const auto& id : co_await admin.clean(grace, limit, cleaned_state(step)))
            ids.emplace_back(id);
        co_return ids;
    }
    if (verb == "remove_orphans") co_return co_await admin.remove_orphaned_jobs();
    if (verb == "drain") {
        co_await admin.drain(flag(step, "delayed"));
    } else if (verb == "obliterate") {
        queue::obliterate_options options;
        options.force = flag(step, "force");
        co_await admin.obliterate(std::move(options));
    } else if (verb == "retry_jobs") {
        queue::retry_all_options options;
        options.state = job_state_of(text(step, "state", "failed"));
        if (step.contains("timestamp")) options.finished_until_ms = integer(step, "timestamp");
        co_await admin.retry_all(std::move(options));
    } else if (verb == "promote_jobs") {
        co_await admin.promote_all();
    } else if (verb == "trim_events") {
        co_await admin.trim_events(integer(step, "length"));
    } else if (verb == "remove_deduplication_key") {
        co_await admin.remove_deduplication_key(id_of(step));
    } else {
        co_return std::nullopt;
    }
    co_return json::value{};
}

} // namespace tiktrend::interop
