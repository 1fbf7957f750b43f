#include "limits.hpp"

#include "script_call.hpp"
#include "scripts.hpp"

namespace tiktrend::queue {
namespace {

/// More than any limit: BullMQ stores JavaScript's largest exact integer.
constexpr std::string_view used_up = "9007199254740991";

void check(std::chrono::milliseconds duration) {
    if (duration.count() <= 0)
        throw system_error(errc::invalid_options,
                           "rate limit of " + std::to_string(duration.count()) + " ms: must be positive");
}

} // namespace

task<void> limit_queue(redis::client& client, const std::string& key_base,
                       std::chrono::milliseconds duration) {
    check(duration);
    const redis::command c{"SET", key_base + "limiter", used_up, "PX", duration.count()};
    const auto reply = co_await client.exec(c);
    if (reply.is_error()) throw std::runtime_error("rate limit: " + std::string{reply.text()});
}

task<void> limit_group(redis::client& client, const std::string& key_base, std::string group,
                       std::chrono::milliseconds duration, std::int64_t now_ms) {
    check(duration);
    const auto now = std::to_string(now_ms), ms = std::to_string(duration.count());
    const std::string_view args[]{now, group, ms};
    co_await run_script_views(client, scripts::all().limit_group, key_base, args);
}

} // namespace tiktrend::queue
