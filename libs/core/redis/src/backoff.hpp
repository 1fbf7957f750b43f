#pragma once
#include <tiktrend/base/random.hpp>

#include <algorithm>
#include <chrono>

namespace tiktrend::redis {

/// Reconnection delays with full jitter: uniform between 0 and a ceiling that doubles with every failure.
class backoff {
public:
    backoff(std::chrono::milliseconds min, std::chrono::milliseconds max) noexcept
        : min_{min}, max_{max}, ceiling_{min} {}

    std::chrono::milliseconds next(random_source& random) {
        const auto delay = std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(
            random.next() * static_cast<double>(ceiling_.count()))};
        ceiling_ = std::min(max_, ceiling_ * 2);
        return delay;
    }

    /// A connection that lived shorter than this keeps the ceiling, so that a server that drops us at once is
    /// not hammered.
    static constexpr std::chrono::seconds healthy{30};
    void connection_ended(std::chrono::steady_clock::duration lived) noexcept {
        if (lived >= healthy) ceiling_ = min_;
    }

private:
    std::chrono::milliseconds min_;
    std::chrono::milliseconds max_;
    std::chrono::milliseconds ceiling_;
};

} // namespace tiktrend::redis
