#include "drain_plan.hpp"

#include <algorithm>

namespace tiktrend::worker {

drain_plan plan_drain(steady_time start, std::chrono::milliseconds timeout) noexcept {
    using std::chrono::milliseconds;
    // Closing takes what closing takes, so short drains give it a larger share, but never more than half of
    // the time in all.
    const auto flush =
        std::min({milliseconds{10'000}, std::max(timeout / 10, milliseconds{3000}), timeout / 4});
    const auto give_back = std::min(
        {std::clamp(timeout / 3, 2 * flush, std::max(2 * flush, milliseconds{20'000})), timeout / 2});
    const auto end = start + timeout;
    return {end - give_back, end - flush, end};
}

} // namespace tiktrend::worker
