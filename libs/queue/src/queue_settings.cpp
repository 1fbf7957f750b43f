#include "queue_call.hpp"

#include <tiktrend/queue/queue_settings.hpp>

namespace tiktrend::queue {
namespace {

constexpr std::int64_t largest = 1'000'000'000;
/// What a counter is set to when a limit is imposed by hand: above every maximum. Shared with BullMQ.
constexpr std::string_view limited_by_hand = "9007199254740991";

} // namespace

task<queue_meta> queue_settings::meta() {
    const auto reply = co_await exec_on(*queue_, redis::command{"HGETALL", keys_of(*queue_).meta()});
    queue_meta out;
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2) {
        const auto field = reply[i].text();
        const auto value = reply[i + 1];
        if (field == "paused")
            out.paused = true;
        else if (field == "concurrency")
            out.concurrency = value.integer();
        else if (field == "max")
            out.max = value.integer();
        else if (field == "duration")
            out.duration_ms = value.integer();
        else if (field == "opts.maxLenEvents")
            out.max_events = value.integer();
        else if (field == "version")
            out.version = value.text();
        else
            out.other.emplace_back(field, value.text());
    }
    co_return out;
}

task<std::string> queue_settings::version() {
    const auto reply = co_await exec_on(*queue_, redis::command{"HGET", keys_of(*queue_).meta(), "version"});
    co_return std::string{reply.text()};
}

task<void> queue_settings::set_max_events(std::int64_t length) {
    check_number("max_events", length, 0, largest);
    co_await exec_on(*queue_, redis::command{"HSET", keys_of(*queue_).meta(), "opts.maxLenEvents", length});
}

task<void> queue_settings::set_global_concurrency(std::int64_t jobs) {
    check_number("concurrency", jobs, 1, largest);
    co_await run_script_on(*queue_, scripts::all().set_concurrency, {std::to_string(jobs)});
}

task<std::optional<std::int64_t>> queue_settings::global_concurrency() {
    const auto found = co_await meta();
    co_return found.concurrency;
}

task<void> queue_settings::remove_global_concurrency() {
    co_await run_script_on(*queue_, scripts::all().set_concurrency, {""});
}

task<bool> queue_settings::is_maxed() {
    const auto reply = co_await run_script_on(*queue_, scripts::all().is_maxed);
    co_return reply.integer() == 1;
}

task<void> queue_settings::set_global_rate_limit(rate_limit limit) {
    check_number("max", limit.max, 1, largest);
    check_number("duration", limit.duration.count(), 1, max_delay.count());
    co_await exec_on(*queue_, redis::command{"HSET", keys_of(*queue_).meta(), "max", limit.max, "duration",
                                             limit.duration.count()});
}

task<std::optional<rate_limit>> queue_settings::global_rate_limit() {
    const auto found = co_await meta();
    if (!found.max || !found.duration_ms) co_return std::nullopt;
    co_return rate_limit{*found.max, std::chrono::milliseconds{*found.duration_ms}};
}

task<void> queue_settings::remove_global_rate_limit() {
    co_await exec_on(*queue_, redis::command{"HDEL", keys_of(*queue_).meta(), "max", "duration"});
}

task<void> queue_settings::limit_now(std::chrono::milliseconds duration) {
    check_number("duration", duration.count(), 1, max_delay.count());
    co_await exec_on(
        *queue_, redis::command{"SET", keys_of(*queue_).limiter(), limited_by_hand, "PX", duration.count()});
}

task<std::chrono::milliseconds> queue_settings::rate_limit_ttl(std::optional<std::int64_t> max) {
    if (max) check_number("max", *max, 1, largest);
    const auto reply =
        co_await run_script_on(*queue_, scripts::all().rate_limit_ttl, {std::to_string(max.value_or(0))});
    co_return std::chrono::milliseconds{std::max<std::int64_t>(reply.integer(), 0)};
}

task<bool> queue_settings::remove_rate_limit_key() {
    const auto reply = co_await exec_on(*queue_, redis::command{"DEL", keys_of(*queue_).limiter()});
    co_return reply.integer() == 1;
}

} // namespace tiktrend::queue
