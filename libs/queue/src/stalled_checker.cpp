#include "stalled_checker.hpp"

#include "script_call.hpp"
#include "scripts.hpp"

#include <tiktrend/base/timeout.hpp>

#include <algorithm>

namespace tiktrend::queue {

stalled_checker::stalled_checker(const worker_options& options, const queue_keys& keys, redis::client& client)
    : options_{options}, keys_{keys}, client_{client} {}

task<void> stalled_checker::run() {
    for (;;)
        co_await sleep_for(co_await check());
}

task<std::chrono::milliseconds> stalled_checker::check() {
    const auto now = std::to_string(options_.clock->now_ms());
    const auto interval = std::to_string(options_.stalled_interval.count());
    const auto allowed = std::to_string(options_.max_stalled_count);
    const std::string_view words[]{now, interval, allowed};
    // After a failure soon again, as nobody else may be there to look; not where it would fail for ever.
    auto next = options_.stalled_interval;
    try {
        const auto moved =
            co_await run_script_views(client_, scripts::all().stalled_check, keys_.base(), words);
        if (moved.type() == redis::reply::kind::integer) // another's check is too fresh
            co_return std::min(next, std::chrono::milliseconds{moved.integer() + 1});
        for (std::size_t i = 0; i < moved.size(); ++i)
            options_.log.warn("job_stalled", {{"queue", keys_.base()}, {"job_id", moved[i].text()}});
        if (moved.size() > 0 && options_.on_stalled) options_.on_stalled(moved.size());
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        if (e.code() != redis::errc::access_denied) next = std::max(next / 20, std::chrono::milliseconds{10});
        options_.log.warn("stalled_check_failed", {{"queue", keys_.base()}, {"error", e.what()}});
    } catch (const std::runtime_error& e) {
        options_.log.error("stalled_check_failed", {{"queue", keys_.base()}, {"error", e.what()}});
    }
    co_return next;
}

} // namespace tiktrend::queue
