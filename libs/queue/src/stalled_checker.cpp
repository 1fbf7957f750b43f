#include "stalled_checker.hpp"

#include "script_call.hpp"
#include "scripts.hpp"

#include <tiktrend/base/timeout.hpp>

namespace tiktrend::queue {

stalled_checker::stalled_checker(const worker_options& options, const queue_keys& keys, redis::client& client)
    : options_{options}, keys_{keys}, client_{client} {}

task<void> stalled_checker::run() {
    for (;;) {
        co_await check();
        co_await sleep_for(options_.stalled_interval);
    }
}

task<void> stalled_checker::check() {
    const auto now = std::to_string(options_.clock->now_ms());
    const auto interval = std::to_string(options_.stalled_interval.count());
    const auto allowed = std::to_string(options_.max_stalled_count);
    const std::string_view words[]{now, interval, allowed};
    try {
        const auto moved =
            co_await run_script_views(client_, scripts::all().stalled_check, keys_.base(), words);
        for (std::size_t i = 0; i < moved.size(); ++i)
            options_.log.warn("job_stalled", {{"queue", keys_.base()}, {"job_id", moved[i].text()}});
        if (moved.size() > 0 && options_.on_stalled) options_.on_stalled(moved.size());
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        options_.log.warn("stalled_check_failed", {{"queue", keys_.base()}, {"error", e.what()}});
    } catch (const std::runtime_error& e) {
        options_.log.error("stalled_check_failed", {{"queue", keys_.base()}, {"error", e.what()}});
    }
}

} // namespace tiktrend::queue
