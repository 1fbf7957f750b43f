#pragma once
#include <chrono>
#include <cstdint>

namespace tiktrend {

/// Wall time, injected everywhere a time is stored or compared with a stored one (design: "Time is
/// injected"). Durations and deadlines use std::chrono::steady_clock, which no clock jump can touch.
class wall_clock {
public:
    virtual ~wall_clock() = default;
    /// Milliseconds since the Unix epoch.
    virtual std::int64_t now_ms() const noexcept = 0;
};

/// The machine's clock. Lives for ever; thread-safe.
const wall_clock& system_wall_clock() noexcept;

/// A clock that a test moves by hand. Not thread-safe.
class manual_clock final : public wall_clock {
public:
    explicit manual_clock(std::int64_t start_ms) noexcept : now_ms_{start_ms} {}
    std::int64_t now_ms() const noexcept override { return now_ms_; }
    void set(std::int64_t ms) noexcept { now_ms_ = ms; }
    void advance(std::chrono::milliseconds by) noexcept { now_ms_ += by.count(); }

private:
    std::int64_t now_ms_;
};

} // namespace tiktrend
