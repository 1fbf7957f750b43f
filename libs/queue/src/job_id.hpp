#pragma once
#include <string_view>

namespace tiktrend::queue {

/// False for a custom id that must not be used: one that could be taken for a generated number ("12", "-3",
/// "01") or for a key of the queue itself ("wait", "meta", …), one with a colon (job keys are split at it),
/// text that is not UTF-8, and more than 1,000 bytes. BullMQ's own rules are a subset, so what is accepted
/// here is accepted there.
bool is_valid_custom_id(std::string_view id) noexcept;

/// False for a text that cannot be the id of a stored job, whoever made it, because its key would be one of
/// the queue's own or a job's satellite: "", "meta", "metrics:failed", "de:x", "5:lock",
/// "repeat:<scheduler>".
bool is_possible_job_id(std::string_view id) noexcept;

} // namespace tiktrend::queue
