#pragma once
#include "steps.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/queue/job_waiter.hpp>
#include <tiktrend/queue/worker.hpp>

#include <map>
#include <memory>

namespace tiktrend::interop {

/// A worker that runs by itself. Its jobs end when they are told to.
class live_worker {
public:
    live_worker(asio::any_io_executor executor, const redis::address& where, const std::string& queue,
                queue::worker_options options);
    void start() { worker_.start(); }
    task<void> stop();
    queue::worker& handle() noexcept { return worker_; }

    /// Ends a job that runs here or is about to, at most ten seconds from now: with `result`, or with
    /// `error`.
    task<void> release(const json::object& step);

private:
    struct held_job {
        explicit held_job(asio::any_io_executor executor) : released{executor} {}
        event released;
        std::string result, error;
    };
    task<std::string> process(queue::active_job& job);

    asio::any_io_executor executor_;
    std::map<std::string, held_job> held_;
    event changed_;
    queue::worker worker_;
};

/// Steps about what runs between the steps: workers, and waiting for the end of jobs.
class live_steps {
public:
    live_steps(asio::any_io_executor executor, redis::address where)
        : executor_{executor}, where_{std::move(where)}, tasks_{executor} {}
    /// Ends whatever runs. To be awaited before the queues go, and before this object goes.
    task<void> stop();
    task<step_answer> carry_out(queue::queue& q, std::string_view verb, const json::object& step);

private:
    struct waiting {
        explicit waiting(asio::any_io_executor executor) : done{executor} {}
        event done;
        json::value answer;
    };
    task<json::value> run_worker(queue::queue& q, const json::object& step);
    task<json::value> begin_wait(queue::queue& q, const json::object& step);
    task<void> wait_for(queue::job_waiter& waiter, std::string id, std::chrono::milliseconds ttl, waiting& w);
    task<json::value> clients(queue::queue& q, std::string_view verb, std::size_t count);

    asio::any_io_executor executor_;
    redis::address where_;
    std::map<std::string, std::unique_ptr<live_worker>> workers_;
    std::map<std::string, std::unique_ptr<queue::job_waiter>> waiters_; ///< by key base of their queue
    std::map<std::string, waiting> waits_;                              ///< by job id
    task_group tasks_;
};

} // namespace tiktrend::interop
