#include "queue_gauges.hpp"

#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/timeout.hpp>

namespace tiktrend::gateway {

queue_gauges::queue_gauges(asio::any_io_executor executor, queue::queue& jobs,
                           std::chrono::milliseconds max_age, std::chrono::milliseconds deadline)
    : jobs_{jobs}, max_age_{max_age}, deadline_{deadline}, read_done_{std::move(executor)} {}

task<std::optional<queue::queue_depth>> queue_gauges::sample() {
    if (reading_) {
        co_await read_done_.wait();
        co_return value_;
    }
    if (value_ && std::chrono::steady_clock::now() - read_at_ < max_age_) co_return value_;
    reading_ = true;
    read_done_.reset();
    try {
        co_await read();
    } catch (...) { // cancelled with its scrape: whoever waits must not wait for ever
        value_.reset();
        reading_ = false;
        read_done_.set();
        throw;
    }
    reading_ = false;
    read_done_.set();
    co_return value_;
}

task<void> queue_gauges::read() {
    try {
        value_ = co_await within(deadline_, jobs_.depth());
        read_at_ = std::chrono::steady_clock::now();
        last_success_ms_ = system_wall_clock().now_ms();
    } catch (const system_error& e) {
        value_.reset();
        ++errors_;
        last_error_ = e.code() == errc::timed_out ? "timeout" : "redis";
        if (is_cancelled(e.code())) throw;
    }
}

} // namespace tiktrend::gateway
