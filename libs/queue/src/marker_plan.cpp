#include "marker_plan.hpp"

#include <algorithm>
#include <charconv>

namespace tiktrend::queue {

std::int64_t whole_milliseconds(std::string_view text) noexcept {
    double score = 0;
    std::from_chars(text.data(), text.data() + text.size(), score);
    return static_cast<std::int64_t>(score);
}

marker_plan::marker_plan(std::chrono::milliseconds drain_delay, std::int64_t next_delayed_ms)
    : drain_delay_{std::clamp(drain_delay, shortest_block, longest_block)},
      next_delayed_ms_{next_delayed_ms} {}

std::chrono::milliseconds marker_plan::block_for(std::int64_t now_ms) const noexcept {
    if (next_delayed_ms_ <= 0) return drain_delay_;
    if (next_delayed_ms_ <= now_ms) return std::chrono::milliseconds{0};
    return std::clamp(std::chrono::milliseconds{next_delayed_ms_ - now_ms}, shortest_block, longest_block);
}

bool marker_plan::popped(std::string_view member, std::int64_t score_ms, std::int64_t now_ms) noexcept {
    if (member != "1" || score_ms <= now_ms) return true;
    next_delayed_ms_ = score_ms;
    return false;
}

} // namespace tiktrend::queue
