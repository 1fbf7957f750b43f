#pragma once
#include <tiktrend/base/timeout.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace tiktrend::worker {

/// Ends the process at a deadline even if the event loop hangs: a thread of its own that calls _exit().
/// Kubernetes would send SIGKILL a little later; this way the exit status still says whether every job was
/// given back.
class exit_guard {
public:
    exit_guard() = default;
    ~exit_guard();
    exit_guard(const exit_guard&) = delete;
    exit_guard& operator=(const exit_guard&) = delete;

    /// The first call starts the guard; later ones can only bring the deadline forward. From the event loop's
    /// thread.
    void arm(steady_time deadline);
    /// What _exit() gets: 1 until somebody knows better.
    void set_status(int status) noexcept { status_ = status; }

private:
    void watch();

    std::mutex mutex_;
    std::condition_variable changed_;
    steady_time deadline_ = steady_time::max();
    bool is_over_ = false;
    std::atomic<int> status_{1};
    std::thread thread_;
};

} // namespace tiktrend::worker
