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

/// A job was stored.
struct added {
    std::string job_id, name;
};
/// previous: empty on add; delayed, active, waiting-children, failed, completed.
struct waiting {
    std::string job_id, previous;
};
/// A job waits for its time.
struct delayed {
    std::string job_id;
    std::int64_t until_ms = 0; ///< absolute, ms since the epoch
};
/// A job waits for others. previous: active, if it was moved while it ran.
struct waiting_children {
    std::string job_id, previous;
};
/// A worker took a job.
struct active {
    std::string job_id, previous;
};
/// A job ended with a value.
struct completed {
    std::string job_id;
    std::string return_value; ///< JSON text
    std::string previous;
};
/// A job failed for good.
struct failed {
    std::string job_id, reason, previous;
};
/// Follows `failed` when no attempt was left.
struct retries_exhausted {
    std::string job_id;
    std::int64_t attempts_made = 0;
};
/// A job lost its worker and waits again.
struct stalled {
    std::string job_id;
};
/// A job told how far it is.
struct progress {
    std::string job_id;
    std::string data; ///< JSON text
};
/// A job was removed. previous: where it was.
struct removed {
    std::string job_id, previous;
};
/// Old jobs were removed.
struct cleaned {
    std::int64_t count = 0;
};
/// The id of an add was taken.
struct duplicated {
    std::string job_id;
};
/// job_id: who stands in the way, other_job_id: who was suppressed; with `replace` the other way round.
struct deduplicated {
    std::string job_id, deduplication_id, other_job_id;
};
/// Version 5 of BullMQ says so before `deduplicated`.
struct debounced {
    std::string job_id, debounce_id;
};
/// Nothing waits any more.
struct drained {};
/// The queue was paused.
struct paused {};
/// The queue goes on.
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
