#include "job_events.hpp"

namespace tiktrend::gateway {

job_events::job_events(redis::client& redis, std::string queue_name, std::string key_base,
                       queue::queue_events::options o)
    : redis_{redis}, queue_name_{std::move(queue_name)}, key_base_{std::move(key_base)},
      options_{std::move(o)}, ending_{redis.get_executor()} {}
job_events::~job_events() = default;

task<void> job_events::stop() {
    stopped_ = true;
    for (auto& [id, s] : subscriptions_)
        s->arrived_.set();
    unfollow();
    co_await ending_.join();
}

task<void> job_events::follow() {
    if (follower_ || stopped_) co_return;
    auto options = options_;
    options.last_id = co_await queue::queue_events::end_of(redis_, key_base_);
    // Several may have asked at once: the first answer's position serves them all, as they were subscribed.
    if (follower_ || stopped_) co_return;
    follower_ = std::make_unique<queue::queue_events>(
        redis_.get_executor(), redis_.where(), queue_name_,
        [this](const queue::queue_event& e) { deliver(e); }, std::move(options));
    follower_->start();
}

void job_events::unfollow() {
    if (follower_) ending_.spawn("end of queue events", end(std::move(follower_)));
}

task<void> job_events::end(std::unique_ptr<queue::queue_events> follower) {
    co_await follower->stop();
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
    : hub_{hub}, job_id_{std::move(job_id)}, arrived_{hub.redis_.get_executor()} {
    hub_.subscriptions_.emplace(job_id_, this);
}

job_events::subscription::~subscription() {
    const auto [first, last] = hub_.subscriptions_.equal_range(job_id_);
    for (auto it = first; it != last; ++it)
        if (it->second == this) {
            hub_.subscriptions_.erase(it);
            break;
        }
    if (hub_.subscriptions_.empty()) hub_.unfollow();
}

task<void> job_events::subscription::begin() {
    return hub_.follow();
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
