#pragma once
#include <tiktrend/base/timeout.hpp>

namespace tiktrend::worker {

/// When each phase of a drain begins. One timeout makes all of them: 105 s become soft until 85, give back
/// until 95, out at 105.
struct drain_plan {
    steady_time cancel_at; ///< until then jobs run on; then they are asked to stop
    steady_time close_at;  ///< jobs that have not been given back by then are left to the stalled check
    steady_time exit_at;   ///< the process ends, whatever still hangs
};

drain_plan plan_drain(steady_time start, std::chrono::milliseconds timeout) noexcept;

} // namespace tiktrend::worker
