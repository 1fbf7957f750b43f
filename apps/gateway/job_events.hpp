#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/queue/events.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace tiktrend::gateway {

/// One follower of the queue's event stream for all clients of a thread that watch jobs. It runs only while
/// somebody watches: every event of the queue costs Redis and this thread, and most gateways have no watchers
/// most of the time.
class job_events {
public:
    /// `redis` must outlive it; the follower makes a connection of its own to the same server.
    job_events(redis::client& redis, std::string queue_name, std::string key_base,
               queue::queue_events::options o);
    ~job_events();

    /// Ends the follower. Afterwards nobody is told anything.
    task<void> stop();

    /// What one client has yet to be told; at most `capacity` events wait, after that the oldest are dropped
    /// and `missed` is set (the client then gets the job's state again).
    class subscription {
    public:
        subscription(job_events& hub, std::string job_id);
        ~subscription(); ///< the last one lets the follower end
        subscription(const subscription&) = delete;
        subscription& operator=(const subscription&) = delete;

        /// Returns when events are followed from a point before this call's end, so that a state that is read
        /// afterwards and the events from next() leave no gap. Call it once, before next(). Throws when Redis
        /// is not there.
        task<void> begin();
        /// Waits for an event, at most `limit`.
        task<std::optional<queue::queue_event>> next(std::chrono::milliseconds limit);
        bool take_missed() noexcept { return std::exchange(missed_, false); }

    private:
        friend class job_events;
        static constexpr std::size_t capacity = 256;
        job_events& hub_;
        std::string job_id_;
        std::deque<queue::queue_event> waiting_;
        event arrived_;
        bool missed_ = false;
    };

private:
    void deliver(const queue::queue_event& e);
    task<void> follow();
    void unfollow();
    static task<void> end(std::unique_ptr<queue::queue_events> follower);

    redis::client& redis_;
    std::string queue_name_, key_base_;
    queue::queue_events::options options_;
    bool stopped_ = false;
    std::multimap<std::string, subscription*, std::less<>> subscriptions_;
    std::unique_ptr<queue::queue_events> follower_; ///< null: nobody watches
    task_group ending_;                             ///< followers on their way out
};

} // namespace tiktrend::gateway
