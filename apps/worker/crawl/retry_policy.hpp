#pragma once
#include <tiktrend/base/random.hpp>

#include <chrono>
#include <optional>

namespace tiktrend::worker {

struct retry_settings {
    retry_settings() {}
    int tries = 4;                                   ///< of one page, the first one counted
    std::chrono::milliseconds base{500};             ///< before the second try; doubles, half of it random …
    std::chrono::milliseconds max{10'000};           ///< … up to this
    std::chrono::milliseconds wait_in_place{10'000}; ///< longer waits give the slot back: the job is delayed
    std::chrono::milliseconds retry_after_cap{3'600'000};
    std::chrono::milliseconds cool_down{300'000}; ///< a host that refused us is left alone for so long
};

/// What to do about one more answer that was no success.
struct retry_decision {
    enum class action {
        wait,     ///< in place, then ask again
        postpone, ///< delay the job by `after`; it spends no attempt
        give_up,  ///< fail the attempt
    };
    action what = action::give_up;
    std::chrono::milliseconds after{0};
};

/// Counts the troubles of one page and decides; no I/O, no clock. Rate limits use up no try, but neither may
/// they hold a worker's slot for long: their waits in place add up to at most wait_in_place.
class retry_policy {
public:
    retry_policy(const retry_settings& settings, random_source& random)
        : settings_{settings}, random_{random} {}

    /// A failure that may pass by itself. `retry_after` when the server said so (503).
    retry_decision on_transient(std::optional<std::chrono::milliseconds> retry_after);
    /// 429 and its kin. Never less than `retry_after`.
    retry_decision on_rate_limited(std::optional<std::chrono::milliseconds> retry_after);
    int failed_tries() const noexcept { return failed_; }
    int rate_limits() const noexcept { return rate_limited_; }

private:
    std::chrono::milliseconds backoff(int n);
    retry_decision wait_or_postpone(std::chrono::milliseconds t);

    const retry_settings& settings_;
    random_source& random_;
    int failed_ = 0;
    int rate_limited_ = 0;
    std::chrono::milliseconds waited_{0};
};

} // namespace tiktrend::worker
