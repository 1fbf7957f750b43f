#include "copy/circuit_breaker.hpp"

#include <algorithm>

namespace tiktrend::gateway {

bool circuit_breaker::admit(time now) noexcept {
    if (!open_) return true;
    if (trial_ || now < until_) return false;
    trial_ = true;
    return true;
}

void circuit_breaker::succeeded() noexcept {
    open_ = trial_ = false;
    in_a_row_ = 0;
    pause_ = first_pause_;
}

void circuit_breaker::failed(time now) noexcept {
    if (trial_) {
        trial_ = false;
        pause_ = std::min(pause_ * 2, first_pause_ * 6);
        until_ = now + pause_;
    } else if (!open_ && ++in_a_row_ >= limit_) {
        open_ = true;
        until_ = now + pause_;
    }
}

} // namespace tiktrend::gateway
