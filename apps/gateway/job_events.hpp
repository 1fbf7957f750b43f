#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/queue/events.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace tiktrend::gateway {

/// One follower of the queue's event stream for all clients of a thread that watch jobs.
class job_events {
public:
    job_events(asio::any_io_executor executor, redis::address where, std::string queue_name,
               queue::queue_events::options o);

    void start() { events_.start(); }
    task<void> stop();

    /// What one client has yet to be told; at most `capacity` events wait, after that the oldest are dropped
    /// and `missed` is set (the client then gets the job's state again).
    class subscription {
    public:
        subscription(job_events& hub, std::string job_id);
        ~subscription();
        subscription(const subscription&) = delete;
        subscription& operator=(const subscription&) = delete;

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

    asio::any_io_executor executor_;
    std::multimap<std::string, subscription*, std::less<>> subscriptions_;
    queue::queue_events events_;
};

} // namespace tiktrend::gateway
