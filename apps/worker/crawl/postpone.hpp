#pragma once
#include <tiktrend/base/clock.hpp>
#include <tiktrend/queue/worker.hpp>

#include <chrono>
#include <string>

namespace tiktrend::worker {

/// Ends the attempt: the job waits so long as a delayed one, frees its slot and spends no attempt
/// (delayed_error). A job that was put off a hundred times fails instead: its host says "later" for ever.
[[noreturn]] void postpone(const queue::active_job& job, const wall_clock& clock,
                           std::chrono::milliseconds after, const std::string& why);

} // namespace tiktrend::worker
