#include "postpone.hpp"

#include <fmt/format.h>

namespace tiktrend::worker {
namespace {
constexpr int max_postponements = 100;
} // namespace

void postpone(const queue::active_job& job, const wall_clock& clock, std::chrono::milliseconds after,
              const std::string& why) {
    const auto& r = job.record();
    if (r.attempts_started - r.attempts_made > max_postponements)
        throw std::runtime_error(fmt::format("{}; postponed {} times", why, max_postponements));
    throw queue::delayed_error{clock.now_ms() + after.count(), why};
}

} // namespace tiktrend::worker
