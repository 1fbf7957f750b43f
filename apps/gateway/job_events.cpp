#include "job_events.hpp"

namespace tiktrend::gateway {

job_events::job_events(asio::any_io_executor executor, redis::address where, std::string queue_name,
                       queue::queue_events::options o)
    : executor_{executor}, events_{executor, std::move(where), std::move(queue_name),
                                   [this](const queue::queue_event& e) { deliver(e); }, std::move(o)} {}

task<void> job_events::stop() {
    for (auto& [id, s] : subscriptions_)
        s->arrived_.set();
    co_await events_.stop();
}

void job_events::deliver(const queue::queue_event& e) {
    const auto [first, last] = subscriptions_.equal_range(e.job_id());
    for (auto it = first; it != last; ++it) {
        auto& s = *it->second;
        if (s.waiting_.size() == subscription::capacity) {
            s.waiting_.pop_front();
            s.missed_ = true;
        }
        s.waiting_.push_back(e);
        s.arrived_.set();
    }
}

job_events::subscription::subscription(job_events& hub, std::string job_id)
    : hub_{hub}, job_id_{std::move(job_id)}, arrived_{hub.executor_} {
    hub_.subscriptions_.emplace(job_id_, this);
}

job_events::subscription::~subscription() {
    const auto [first, last] = hub_.subscriptions_.equal_range(job_id_);
    for (auto it = first; it != last; ++it)
        if (it->second == this) {
            hub_.subscriptions_.erase(it);
            return;
        }
}

task<std::optional<queue::queue_event>> job_events::subscription::next(std::chrono::milliseconds limit) {
    if (waiting_.empty()) {
        arrived_.reset();
        co_await arrived_.wait_for(limit);
    }
    if (waiting_.empty()) co_return std::nullopt;
    auto e = std::move(waiting_.front());
    waiting_.pop_front();
    co_return e;
}

} // namespace tiktrend::gateway
