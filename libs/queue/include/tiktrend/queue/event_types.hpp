#pragma once
#include <tiktrend/queue/events.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// The events of a queue, one struct each (layout 3.1). Fields that an entry lacks are empty or 0: older
/// clients write fewer.
namespace tiktrend::queue::event_type {

struct added {
    std::string job_id, name;
};
/// previous: empty on add; delayed, active, waiting-children, failed, completed.
struct waiting {
    std::string job_id, previous;
};
struct delayed {
    std::string job_id;
    std::int64_t until_ms = 0; ///< absolute, ms since the epoch
};
struct waiting_children {
    std::string job_id, previous;
};
struct active {
    std::string job_id, previous;
};
struct completed {
    std::string job_id;
    std::string return_value; ///< JSON text
    std::string previous;
};
struct failed {
    std::string job_id, reason, previous;
};
struct retries_exhausted {
    std::string job_id;
    std::int64_t attempts_made = 0;
};
struct stalled {
    std::string job_id;
};
struct progress {
    std::string job_id;
    std::string data; ///< JSON text
};
struct removed {
    std::string job_id, previous;
};
struct cleaned {
    std::int64_t count = 0;
};
struct duplicated {
    std::string job_id;
};
/// job_id: who stands in the way, other_job_id: who was suppressed; with `replace` the other way round.
struct deduplicated {
    std::string job_id, deduplication_id, other_job_id;
};
struct debounced {
    std::string job_id, debounce_id; ///< version 5
};
struct drained {};
struct paused {};
struct resumed {};
/// Anything else, as queue_events_producer or a newer client wrote it.
struct custom {
    std::string name;
    std::vector<std::pair<std::string, std::string>> fields;
};

using any = std::variant<added, waiting, delayed, waiting_children, active, completed, failed,
                         retries_exhausted, stalled, progress, removed, cleaned, duplicated, deduplicated,
                         debounced, drained, paused, resumed, custom>;

/// An entry as its struct, to be taken apart with std::visit or std::get_if. Never fails.
any of(const queue_event& entry);

} // namespace tiktrend::queue::event_type
