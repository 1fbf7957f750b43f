#include "retry_policy.hpp"

#include <algorithm>

namespace tiktrend::worker {

using std::chrono::milliseconds;

milliseconds retry_policy::backoff(int n) {
    auto full = settings_.base;
    for (int i = 1; i < n && full < settings_.max; ++i)
        full *= 2;
    full = std::min(full, settings_.max);
    // Half of it is random, so that jobs stopped by one outage do not come back as one wave.
    return milliseconds{full.count() / 2 +
                        static_cast<std::int64_t>(random_.next() * static_cast<double>(full.count()) / 2)};
}

retry_decision retry_policy::wait_or_postpone(milliseconds t) {
    if (waited_ + t > settings_.wait_in_place) return {retry_decision::action::postpone, t};
    waited_ += t;
    return {retry_decision::action::wait, t};
}

retry_decision retry_policy::on_transient(std::optional<milliseconds> retry_after) {
    if (++failed_ >= settings_.tries) return {retry_decision::action::give_up, {}};
    const auto own = backoff(failed_);
    if (retry_after && *retry_after > own) return wait_or_postpone(*retry_after);
    return {retry_decision::action::wait, own};
}

retry_decision retry_policy::on_rate_limited(std::optional<milliseconds> retry_after) {
    const auto own = backoff(++rate_limited_);
    // A little more than asked for: hosts count from their own clock, and not everybody should return at
    // once.
    if (retry_after) return wait_or_postpone(std::max(*retry_after + own / 4, own));
    return wait_or_postpone(std::max(own, milliseconds{1000} * std::min(rate_limited_, 30)));
}

} // namespace tiktrend::worker
