#include <tiktrend/base/stop.hpp>

namespace tiktrend {

void stop_state::request(steady_time deadline, std::string reason) {
    deadline_ = std::min(deadline_, deadline);
    if (phase_ == phase::running) {
        phase_ = phase::draining;
        reason_ = std::move(reason);
        draining_.set();
    } else {
        draining_.notify_all(); // run() reads the deadline again
        terminating_.notify_all();
    }
}

void stop_state::terminate(std::string reason) {
    if (phase_ == phase::terminating) return;
    if (phase_ == phase::running) reason_ = std::move(reason);
    phase_ = phase::terminating;
    draining_.set();
    terminating_.set();
}

task<void> stop_state::run() {
    co_await draining_.wait();
    while (phase_ != phase::terminating) {
        if (std::chrono::steady_clock::now() >= deadline_)
            terminate("deadline passed");
        else
            co_await terminating_.wait_until(deadline_);
    }
}

} // namespace tiktrend
