#pragma once
#include "stored_options.hpp"

#include <tiktrend/queue/job.hpp>
#include <tiktrend/redis/reply.hpp>

namespace tiktrend::queue {

/// Reads a job's hash. `fields` is an array of fields and values in turn; its first `size` elements are read.
/// Never fails: what is missing or unreadable keeps its default, as other clients' readers do. `attempts` and
/// `stacktrace` need a parser and are filled from the readers given.
job_record read_record(std::string_view id, const redis::reply::view& fields, std::size_t size,
                       options_reader& options, json_checker& json);

/// One of BullMQ's names as state_of() in the scripts answers; unknown for any other.
job_state state_from(std::string_view name) noexcept;

} // namespace tiktrend::queue
