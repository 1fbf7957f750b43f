#pragma once
#include <chrono>

namespace tiktrend::gateway {

/// Decides whether a dependency that keeps failing is asked again. Closed: yes. After `failures` in a row
/// open: no, for `pause`. Then one trial: its success closes the circuit, its failure doubles the pause, up
/// to six times the first one. Pure: times come in.
class circuit_breaker {
public:
    using time = std::chrono::steady_clock::time_point;
    circuit_breaker(int failures, std::chrono::milliseconds pause) noexcept
        : limit_{failures}, first_pause_{pause}, pause_{pause} {}

    /// May a call start now? Every yes is followed by exactly one of the three below.
    bool admit(time now) noexcept;
    void succeeded() noexcept;
    void failed(time now) noexcept;
    /// The call ended without telling anything about the dependency (cancelled, refused for its content).
    void abandoned() noexcept { trial_ = false; }

    bool is_open() const noexcept { return open_; }
    /// When the next trial may start. Only while open.
    time reopens_at() const noexcept { return until_; }

private:
    int limit_;
    std::chrono::milliseconds first_pause_, pause_;
    int in_a_row_ = 0;
    bool open_ = false;
    bool trial_ = false; ///< is under way
    time until_{};
};

/// Retries as a share of first tries, so that an outage is not made worse: each first try earns `ratio`, each
/// retry costs one, at most ten are saved up.
class retry_budget {
public:
    explicit retry_budget(double ratio) noexcept : ratio_{ratio} {}
    void earn() noexcept { saved_ = saved_ + ratio_ < most ? saved_ + ratio_ : most; }
    bool spend() noexcept {
        if (saved_ < 1) return false;
        saved_ -= 1;
        return true;
    }

private:
    static constexpr double most = 10;
    double ratio_;
    double saved_ = most;
};

} // namespace tiktrend::gateway
