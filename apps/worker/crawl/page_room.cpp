#include "page_room.hpp"

#include <algorithm>

namespace tiktrend::worker {

task<page_room::place> page_room::enter() {
    if (free_ > 0) {
        --free_;
        co_return place{this};
    }
    waiter w{executor_};
    waiters_.push_back(&w);
    try {
        co_await w.woken.wait();
    } catch (...) {
        if (w.is_given)
            leave();
        else
            waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &w));
        throw;
    }
    co_return place{this};
}

void page_room::leave() noexcept {
    if (waiters_.empty()) {
        ++free_;
        return;
    }
    auto* next = waiters_.front();
    waiters_.pop_front();
    next->is_given = true;
    next->woken.set();
}

} // namespace tiktrend::worker
