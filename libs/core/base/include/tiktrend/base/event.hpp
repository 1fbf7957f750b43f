#pragma once
#include <tiktrend/base/asio.hpp>

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <vector>

namespace tiktrend {

/// A flag that coroutines of one executor wait for. Stays set until reset(). set() wakes every waiter (they
/// resume later, not inside set()). The event must outlive its waiters.
class event {
public:
    explicit event(asio::any_io_executor executor) : executor_{std::move(executor)} {}
    event(const event&) = delete;
    event& operator=(const event&) = delete;

    bool is_set() const noexcept { return set_; }
    void set() noexcept;
    void reset() noexcept { set_ = false; }

    /// Wakes current waiters without setting the flag; they return from wait() as if it had been set.
    void notify_all() noexcept;

    /// Returns at once if set. Throws system_error(operation_aborted) if the waiting coroutine is cancelled.
    task<void> wait();
    /// As wait(), at most until `deadline`. True if the event was set or notified, false if the deadline
    /// passed.
    task<bool> wait_until(std::chrono::steady_clock::time_point deadline);
    task<bool> wait_for(std::chrono::steady_clock::duration limit);

private:
    struct waiter {
        asio::steady_timer timer;
        bool woken = false;
    };
    asio::any_io_executor executor_;
    std::vector<waiter*> waiters_;
    bool set_ = false;
};

} // namespace tiktrend
