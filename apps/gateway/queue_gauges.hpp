#pragma once
#include <tiktrend/base/single_flight.hpp>
#include <tiktrend/queue/queue.hpp>

#include <chrono>
#include <optional>

namespace tiktrend::gateway {

/// What /metrics and scalers want to know of a queue, read at one moment.
struct queue_reading {
    queue::queue_depth depth;
    std::int64_t completed = 0, failed = 0; ///< ended since its workers count (BullMQ's metrics keys)
};

/// Reads a queue for /metrics: at most once in `max_age`, one read at a time whoever asks, with a deadline
/// (ops.md 2.5). No value is better than an old one: after an error there is none.
class queue_gauges {
public:
    queue_gauges(asio::any_io_executor executor, queue::queue& jobs,
                 std::chrono::milliseconds max_age = std::chrono::seconds{5},
                 std::chrono::milliseconds deadline = std::chrono::seconds{1});

    /// The reading, at most `max_age` old; nothing if Redis did not answer in time.
    task<std::optional<queue_reading>> sample();

    const std::string& queue_name() const noexcept { return jobs_.name(); }
    std::uint64_t errors() const noexcept { return errors_; }
    /// Reason of the newest error: "timeout", "redis".
    const std::string& last_error() const noexcept { return last_error_; }
    std::int64_t last_success_ms() const noexcept { return last_success_ms_; }

private:
    task<void> read();
    task<queue_reading> ask();

    queue::queue& jobs_;
    std::chrono::milliseconds max_age_;
    std::chrono::milliseconds deadline_;
    std::optional<queue_reading> value_;
    std::chrono::steady_clock::time_point read_at_ = std::chrono::steady_clock::time_point::min();
    single_flight read_;
    std::uint64_t errors_ = 0;
    std::string last_error_;
    std::int64_t last_success_ms_ = 0;
};

} // namespace tiktrend::gateway
