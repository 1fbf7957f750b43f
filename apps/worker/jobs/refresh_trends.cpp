#include "refresh_trends.hpp"

#include <fmt/format.h>

namespace tiktrend::worker {
namespace {
constexpr std::int32_t priority_of_upkeep = 10;
constexpr std::int32_t attempts_of_upkeep = 3;
} // namespace

task<std::string> refresh_trends::operator()(queue::active_job& job) const {
    const auto now = services_.clock.now_ms();
    const auto changed = co_await trends_.refresh(now);
    if (changed < 0) co_return R"({"skipped":true})";
    services_.metrics.trends_refreshed(changed, static_cast<double>(services_.clock.now_ms()) / 1000);
    services_.log.info("trends_refreshed", {{"job_id", job.id()}, {"changed", changed}});
    if (changed > 0) co_await services_.caches.unknown_changed(); // too many to name
    if (services_.settings.retention.count() > 0) {
        const auto gone = co_await old_.forget(now, services_.settings.retention);
        if (gone > 0) services_.log.info("old_rows_deleted", {{"job_id", job.id()}, {"rows", gone}});
    }
    co_return fmt::format(R"({{"changed":{}}})", changed);
}

task<void> schedule_trends(queue::queue& jobs, std::chrono::milliseconds every) {
    queue::job_schedulers schedulers{jobs};
    const std::string id{refresh_trends_name};
    const auto known = co_await schedulers.get(id);
    if (every.count() == 0) {
        if (known) co_await schedulers.remove(id);
        co_return;
    }
    if (known && known->every_ms == every.count() && known->name == id) co_return;
    queue::repeat_options repeat;
    repeat.every = every;
    queue::job_options o;
    o.priority = priority_of_upkeep;
    o.attempts = attempts_of_upkeep;
    o.backoff = queue::backoff_options{"exponential", std::chrono::seconds{30}};
    o.remove_on_complete = queue::keep_policy::newest(24);
    o.remove_on_fail = queue::keep_policy::newest(24);
    co_await schedulers.upsert(id, repeat, queue::job_template{id, "{}", o});
}

} // namespace tiktrend::worker
