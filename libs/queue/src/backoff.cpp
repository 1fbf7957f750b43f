#include "backoff.hpp"

#include <algorithm>
#include <cmath>

namespace tiktrend::queue {

bool is_builtin_backoff(const std::string& type) noexcept {
    return type == "fixed" || type == "exponential";
}

std::chrono::milliseconds backoff_delay(const backoff_options& backoff, std::int32_t attempt,
                                        random_source& random) {
    constexpr double longest = static_cast<double>(max_delay.count());
    double pause = static_cast<double>(backoff.delay.count());
    if (backoff.type == "exponential") pause = std::round(std::exp2(attempt - 1) * pause);
    if (backoff.jitter > 0)
        pause = std::floor(random.next() * pause * backoff.jitter + pause * (1 - backoff.jitter));
    return std::chrono::milliseconds{static_cast<std::int64_t>(std::clamp(pause, 0.0, longest))};
}

} // namespace tiktrend::queue
