#include "exit_guard.hpp"

#include <unistd.h>

#include <cstdio>

namespace tiktrend::worker {

exit_guard::~exit_guard() {
    {
        const std::lock_guard lock{mutex_};
        is_over_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void exit_guard::arm(steady_time deadline) {
    {
        const std::lock_guard lock{mutex_};
        deadline_ = std::min(deadline_, deadline);
    }
    changed_.notify_all();
    if (!thread_.joinable()) thread_ = std::thread{[this] { watch(); }};
}

void exit_guard::watch() {
    std::unique_lock lock{mutex_};
    while (!is_over_) {
        if (std::chrono::steady_clock::now() >= deadline_) {
            constexpr char line[] =
                "{\"level\":\"error\",\"event\":\"hard_exit\",\"program\":\"tiktrend-worker\"}\n";
            [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line, sizeof line - 1);
            ::_exit(status_);
        }
        changed_.wait_until(lock, deadline_);
    }
}

} // namespace tiktrend::worker
