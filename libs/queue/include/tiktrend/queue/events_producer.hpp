#pragma once
#include <tiktrend/queue/error.hpp>
#include <tiktrend/redis/client.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tiktrend::queue {

/// Writes events of one's own into a queue's stream (BullMQ's QueueEventsProducer), for all who follow it.
/// Uses a client that it does not own and that must outlive it.
class queue_events_producer {
public:
    queue_events_producer(redis::client& client, std::string queue_name, std::string prefix = "bull");
    ~queue_events_producer();
    queue_events_producer(const queue_events_producer&) = delete;
    queue_events_producer& operator=(const queue_events_producer&) = delete;

    using fields = std::vector<std::pair<std::string, std::string>>;

    /// Publishes one event; its id in the stream. `max_events`: the stream is cut to about this length
    /// (BullMQ cuts to 1,000, which loses a queue's own events; here it is a queue's default length).
    /// invalid_event, before Redis is touched: an empty name, a field without a name or called `event`, text
    /// that is not UTF-8, and `returnvalue` of `completed` or `data` of `progress` that is not JSON, at which
    /// Node's followers stop. Throws system_error with redis::errc when Redis is unavailable.
    task<std::string> publish(std::string event_name, fields values, std::int64_t max_events = 10'000);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::queue
