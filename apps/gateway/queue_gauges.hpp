#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/queue/queue.hpp>

#include <chrono>
#include <optional>

namespace tiktrend::gateway {

/// Reads the queue's depth for /metrics and scalers: at most once in `max_age`, one read at a time whoever
/// asks, with a deadline (ops.md 2.5). No value is better than an old one: after an error there is none.
class queue_gauges {
public:
    queue_gauges(asio::any_io_executor executor, queue::queue& jobs,
                 std::chrono::milliseconds max_age = std::chrono::seconds{5},
                 std::chrono::milliseconds deadline = std::chrono::seconds{1});

    /// The depth, at most `max_age` old; nothing if Redis did not answer in time.
    task<std::optional<queue::queue_depth>> sample();

    std::uint64_t errors() const noexcept { return errors_; }
    /// Reason of the newest error: "timeout", "redis".
    const std::string& last_error() const noexcept { return last_error_; }
    std::int64_t last_success_ms() const noexcept { return last_success_ms_; }

private:
    task<void> read();

    queue::queue& jobs_;
    std::chrono::milliseconds max_age_;
    std::chrono::milliseconds deadline_;
    std::optional<queue::queue_depth> value_;
    std::chrono::steady_clock::time_point read_at_ = std::chrono::steady_clock::time_point::min();
    bool reading_ = false;
    event read_done_;
    std::uint64_t errors_ = 0;
    std::string last_error_;
    std::int64_t last_success_ms_ = 0;
};

} // namespace tiktrend::gateway
