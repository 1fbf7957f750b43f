#pragma once
#include <tiktrend/queue/job.hpp>

#include <string>
#include <string_view>

namespace tiktrend::queue {

/// Names of a queue's keys, as far as this side needs them; the scripts derive the others from the base.
/// Shared with every BullMQ client: do not change.
class queue_keys {
public:
    queue_keys(std::string_view prefix, std::string_view queue);

    const std::string& base() const noexcept { return base_; }                     ///< "<prefix>:<queue>:"
    std::string meta() const { return base_ + "meta"; }                            ///< hash
    std::string marker() const { return base_ + "marker"; }                        ///< zset
    std::string groups_marker() const { return base_ + "groups:marker"; }          ///< zset, ours alone
    std::string events() const { return base_ + "events"; }                        ///< stream
    std::string job(std::string_view id) const { return base_ + std::string{id}; } ///< hash
    std::string logs(std::string_view id) const { return job(id) + ":logs"; }      ///< list
    std::string limiter() const { return base_ + "limiter"; }                      ///< string
    std::string deduplication(std::string_view id) const {
        return base_ + "de:" + std::string{id};
    } ///< string
    /// The list or zset that holds the ids of a state.
    std::string state(job_state s) const;

    /// CLIENT SETNAME of a worker's blocking connection, by which getWorkers of other clients finds it:
    /// "<prefix>:<base64 of queue>", then ":w:<name>" for a worker that has one.
    std::string worker_connection(std::string_view worker) const;
    /// … and of a connection that follows the events.
    std::string events_connection() const;

private:
    std::string base_;
    std::string connection_;
};

/// Throws input_error for an empty queue name and one with a colon.
void check_queue_name(std::string_view name);

} // namespace tiktrend::queue
