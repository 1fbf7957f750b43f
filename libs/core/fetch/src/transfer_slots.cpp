#include "transfer_slots.hpp"

namespace tiktrend::fetch {

bool transfer_slots::has_room(const std::string& origin) const {
    if (in_use_ >= total_) return false;
    const auto it = used_by_.find(origin);
    return it == used_by_.end() || it->second < per_host_;
}

void transfer_slots::take(const std::string& origin) {
    ++in_use_;
    ++used_by_[origin];
}

void transfer_slots::release(const std::string& origin) {
    --in_use_;
    const auto it = used_by_.find(origin);
    if (--it->second == 0) used_by_.erase(it);
    for (auto& w : waiters_) {
        if (w.granted || !has_room(w.origin)) continue;
        take(w.origin);
        w.granted = true;
        w.woken.set();
        if (in_use_ >= total_) break;
    }
}

task<transfer_slots::slot> transfer_slots::acquire(std::string origin, steady_time deadline) {
    if (is_closed_) co_return slot{};
    if (has_room(origin)) {
        take(origin);
        co_return slot{this, std::move(origin)};
    }
    if (waiters_.size() >= max_waiting_) co_return slot{};
    const auto self = waiters_.emplace(waiters_.end(), origin, executor_);
    // Whatever way the wait ends, the waiter goes, and a slot granted at the same moment is not lost.
    struct on_exit {
        transfer_slots& slots;
        std::list<waiter>::iterator self;
        bool keep = false;
        ~on_exit() {
            const bool give_back = self->granted && !keep;
            const std::string origin = self->origin;
            slots.waiters_.erase(self);
            if (give_back) slots.release(origin);
        }
    } exit{*this, self};
    co_await self->woken.wait_until(deadline);
    if (!self->granted || is_closed_) co_return slot{};
    exit.keep = true;
    co_return slot{this, origin};
}

void transfer_slots::close() {
    is_closed_ = true;
    for (auto& w : waiters_)
        w.woken.set();
}

} // namespace tiktrend::fetch
