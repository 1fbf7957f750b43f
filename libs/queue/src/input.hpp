#pragma once
#include "backoff.hpp"
#include "options_check.hpp"
#include "options_json.hpp"
#include "stored_options.hpp"

#include <tiktrend/queue/error.hpp>
#include <tiktrend/queue/job.hpp>

#include <chrono>
#include <string_view>

namespace tiktrend::queue {

/// Times up to here (the year 2039) have exact scores in `delayed`: time * 4096 < 2^53.
constexpr std::int64_t max_time_ms = (std::int64_t{1} << 41) - 1;

// What arguments of the public calls may be. Each throws input_error, before anything is sent.

/// A whole number in low … high.
void check_number(std::string_view field, std::int64_t value, std::int64_t low, std::int64_t high,
                  errc code = errc::invalid_argument);
/// 0 … ten years.
void check_delay(std::string_view field, std::chrono::milliseconds value);
void check_priority(std::int32_t priority);
/// One JSON text.
void check_json(json_checker& json, std::string_view field, std::string_view text);
/// The id of a stored job, whoever made it: not empty, and not a key of the queue itself ("meta", "5:lock"),
/// which a write would corrupt.
void check_job_id(std::string_view id);
/// Not empty.
void check_text(std::string_view field, std::string_view text);
/// completed or failed.
void check_finished(std::string_view field, job_state state);

} // namespace tiktrend::queue
