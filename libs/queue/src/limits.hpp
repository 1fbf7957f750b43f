#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/redis/client.hpp>

#include <chrono>
#include <string>

namespace tiktrend::queue {

// Rate limits by hand. Each throws system_error(errc::invalid_options) for a duration that is not positive.

/// As BullMQ's rateLimit(): workers that know a limit start nothing for so long (layout of BullMQ,
/// `limiter`).
task<void> limit_queue(redis::client& client, const std::string& key_base,
                       std::chrono::milliseconds duration);

/// The same for one group.
task<void> limit_group(redis::client& client, const std::string& key_base, std::string group,
                       std::chrono::milliseconds duration, std::int64_t now_ms);

} // namespace tiktrend::queue
