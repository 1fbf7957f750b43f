#pragma once
#include <tiktrend/queue/job.hpp>

#include <chrono>
#include <exception>
#include <functional>

namespace tiktrend::queue {

/// An attempt that has failed, for who decides when the next one is due: what BullMQ's backoffStrategy gets.
/// Valid during the call.
struct failed_attempt {
    std::int32_t attempts_made; ///< this one included
    const std::string& type;    ///< backoff_options::type of the job
    const std::string& message; ///< as it is stored
    /// What the processor threw; null if it threw nothing (a value that is not JSON, children that are open).
    const std::exception_ptr& error;
    const job_record& job; ///< as it was fetched, so its own attempts_made does not count this one
};

/// The pause before the next attempt, cut to ten years; 0: at once; negative: none, the job fails for good.
/// Called from the worker's executor; must not throw.
using backoff_strategy = std::function<std::chrono::milliseconds(const failed_attempt&)>;

} // namespace tiktrend::queue
