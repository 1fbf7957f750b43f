#include "queue_gauges.hpp"

#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/redis/client.hpp>

#include <array>

namespace tiktrend::gateway {

queue_gauges::queue_gauges(asio::any_io_executor executor, queue::queue& jobs,
                           std::chrono::milliseconds max_age, std::chrono::milliseconds deadline)
    : jobs_{jobs}, max_age_{max_age}, deadline_{deadline}, read_{std::move(executor)} {}

task<std::optional<queue_reading>> queue_gauges::sample() {
    if (read_.is_taken()) {
        co_await read_.wait();
        co_return value_;
    }
    if (value_ && std::chrono::steady_clock::now() - read_at_ < max_age_) co_return value_;
    const auto mine = read_.take();
    try {
        co_await read();
    } catch (...) { // cancelled with its scrape
        value_.reset();
        throw;
    }
    co_return value_;
}

task<queue_reading> queue_gauges::ask() {
    queue_reading out;
    out.depth = co_await jobs_.depth();
    const std::array commands{redis::command{"HGET", jobs_.key_base() + "metrics:completed", "count"},
                              redis::command{"HGET", jobs_.key_base() + "metrics:failed", "count"}};
    const auto totals = co_await jobs_.client().exec_all(commands);
    out.completed = totals.at(0).integer();
    out.failed = totals.at(1).integer();
    co_return out;
}

task<void> queue_gauges::read() {
    try {
        value_ = co_await within(deadline_, ask());
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
