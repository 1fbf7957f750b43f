#pragma once
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/queue.hpp>
#include <tiktrend/queue/worker.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace tiktrend::testing {

class redis_server;

/// A producer and a worker at work on one queue, with a record of what Redis acknowledged and what ran.
class queue_load {
public:
    using clock = std::chrono::steady_clock;
    struct added {
        std::string id;
        clock::time_point at;
    };

    queue_load(asio::any_io_executor executor, const redis::address& where, std::string queue_name);

    void start();
    /// No more adds from now on.
    void stop_adding() noexcept { is_adding_ = false; }
    task<void> stop();
    /// Waits until `done`, at most 40 s; says what was missing otherwise.
    task<void> until(std::string what, std::function<bool()> done);

    queue::queue& queue() noexcept { return queue_; }
    queue::worker& worker() noexcept { return worker_; }
    const std::vector<added>& acknowledged() const noexcept { return acknowledged_; }
    /// Ids whose completion Redis has confirmed to the worker.
    const std::set<std::string>& completed() const noexcept { return completed_; }
    /// How often the processor began with a job.
    const std::map<std::string, int>& runs() const noexcept { return runs_; }
    std::size_t failed_adds() const noexcept { return failed_adds_; }
    /// The longest time without an acknowledged add.
    clock::duration longest_outage() const;

    /// What became of the acknowledged jobs after a master was lost at `killed_at`, when `before` of them
    /// were acknowledged.
    struct losses {
        std::size_t gone = 0;          ///< replication is asynchronous: the last moments' jobs may be gone
        std::size_t gone_long_ago = 0; ///< of them, those that are not of the last second before the loss
        std::size_t not_completed = 0; ///< there, but not completed
    };
    losses look_at(const redis_server& master, clock::time_point killed_at, std::size_t before) const;

private:
    task<void> add_all_the_time();
    task<std::string> process(queue::active_job& job);

    redis::client client_;
    queue::queue queue_;
    queue::worker worker_;
    bool is_adding_ = true;
    std::vector<added> acknowledged_;
    std::set<std::string> completed_;
    std::map<std::string, int> runs_;
    std::size_t failed_adds_ = 0;
    task_group tasks_;
};

} // namespace tiktrend::testing
