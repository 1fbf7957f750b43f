#pragma once
#include <tiktrend/base/random.hpp>
#include <tiktrend/queue/job_options.hpp>

#include <chrono>

namespace tiktrend::queue {

/// Ten years. The score of a delayed job, (now + delay) * 4096, stays exact in a double until 2039.
constexpr std::chrono::milliseconds max_delay{315'360'000'000};

/// The pause before the next attempt for the two types that everybody knows; `attempt` counts from 1 (the one
/// that has just failed).
///   fixed        delay
///   exponential  delay * 2^(attempt - 1)
/// With jitter j the last j of it is random: from (1 - j) of the pause up to the whole. Same rounding as
/// BullMQ. At most max_delay.
std::chrono::milliseconds backoff_delay(const backoff_options& backoff, std::int32_t attempt,
                                        random_source& random);

/// True for the types above; another needs worker_options::custom_backoff.
bool is_builtin_backoff(const std::string& type) noexcept;

} // namespace tiktrend::queue
