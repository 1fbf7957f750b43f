#pragma once
#include <tiktrend/queue/error.hpp>
#include <tiktrend/queue/job_options.hpp>

#include <string>

namespace tiktrend::queue {

constexpr std::int32_t max_priority =
    2'097'151; ///< 21 bits: priority * 2^32 + counter stays exact in a double

/// The job's options as they are stored in `opts`: BullMQ's short keys, unset members left out, `attempts`
/// always there.
std::string options_to_json(const job_options& options);

/// The options with the queue's defaults in place of what is unset. A number counts as unset when it is zero.
job_options with_defaults(job_options options, const job_options& defaults);

/// What is wrong with the options, if anything: invalid_job_id, invalid_priority, or invalid_options for the
/// rest.
error_code check_options(const job_options& options) noexcept;

} // namespace tiktrend::queue
