#pragma once
#include <tiktrend/redis/blocking_connection.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tiktrend::queue {

/// One entry of the events stream (layout 3).
struct queue_event {
    std::string stream_id;
    std::string name;                                        ///< "completed", "progress", …
    std::vector<std::pair<std::string, std::string>> fields; ///< without `event`
    std::string_view get(std::string_view field) const noexcept;
    std::string_view job_id() const noexcept { return get("jobId"); }
};

/// Follows a queue's events on a connection of its own (XREAD BLOCK), as BullMQ's QueueEvents: one for any
/// number of interested parties of a process.
/// After a lost connection it goes on at the entry after the last one handed over, so nothing is missed that
/// the stream still holds (opts.maxLenEvents). event_types.hpp has a struct for each event,
/// events_producer.hpp writes events of one's own.
class queue_events {
public:
    using listener = std::function<void(const queue_event&)>; ///< called from the executor; must not throw

    /// Where listening begins.
    struct options {
        options() {}
        std::string prefix = "bull";
        std::string last_id = "$"; ///< resume after this entry; "$": what comes after the first connection
        std::chrono::milliseconds block{10'000};
        logger log;
    };
    queue_events(asio::any_io_executor executor, redis::address where, std::string queue_name,
                 listener on_event, options o = options{});
    ~queue_events();
    queue_events(const queue_events&) = delete;
    queue_events& operator=(const queue_events&) = delete;

    void start();
    task<void> stop();
    /// The newest entry handed to the listener: where a later follower goes on (options::last_id). "$" until
    /// the end of the stream has been looked up.
    const std::string& last_id() const noexcept;

    /// The newest entry's id ("0-0": there is none), for `options::last_id` of a follower that must miss
    /// nothing from now on. Throws as redis::client::exec, and std::runtime_error when Redis refuses.
    static task<std::string> end_of(redis::client& client, std::string key_base);

    /// Entries after `after` ("0": from the oldest kept) that belong to `job_id`, at most `limit`, for a
    /// client that resumes.
    static task<std::vector<queue_event>> read_for_job(redis::client& client, std::string key_base,
                                                       std::string job_id, std::string after,
                                                       std::size_t limit);

    /// What a client that resumes has missed.
    struct resumed {
        std::vector<queue_event> events; ///< of its job, oldest first
        /// Nothing is missing: all that came after the entry was still there, and was looked at. Else the
        /// job's state tells the rest.
        bool is_whole = false;
    };
    /// As read_for_job() for a client that resumes after an entry ("<ms>-<n>") it names itself, who could
    /// otherwise have the whole stream read time and again: one call, which looks at `most_looked_at` entries
    /// (up to 5,000) and no more.
    static task<resumed> resume_job(redis::client& client, std::string key_base, std::string job_id,
                                    std::string after, std::size_t limit, std::size_t most_looked_at);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::queue
