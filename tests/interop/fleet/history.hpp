#pragma once
#include "workload.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tiktrend::interop {

/// One entry of the queue's event stream.
struct past_event {
    std::int64_t at_ms = 0; ///< Redis' clock, from the entry's id
    std::string name, job_id, prev;
    std::int64_t delay = 0; ///< of `delayed`: when it is due, ms
};

std::vector<past_event> read_history(const std::string& queue);

/// Checks the whole story of a queue that is quiet, from its events and keys alone. Each violation in words:
///   no loss           every accepted job ended, in the state it had to, by one completed or failed event
///   fencing           each job's events are a path of the state machine: nobody who lost a job moved it
///   attempts          atm is what the job's failures make; stalls, kills and releases do not count; no retry
///   comes early
std::vector<std::string> violations_of(const std::vector<past_event>& history, const workload& work,
                                       const std::string& queue);

/// At this moment, whatever runs: each id is in one place and has a hash, and no hash is without a place.
std::vector<std::string> misplaced(const std::string& queue);

/// The queue is quiet: nothing waits, is delayed or runs.
bool is_quiet(const std::string& queue);

} // namespace tiktrend::interop
