#pragma once
#include <tiktrend/base/log.hpp>
#include <tiktrend/queue/queue.hpp>

namespace tiktrend::queue {

/// Thrown by job_waiter::wait(): the job failed for good; what() is its reason.
class job_failed_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Waits for the ends of any number of jobs of one queue over one connection that follows its events
/// (BullMQ's waitUntilFinished). An end is seen also when its event is lost: by a look at the job at the
/// start, after each `look_again`, and when it is removed.
///
/// Life: construct, start(), wait() …, co_await stop().
class job_waiter {
public:
    /// How a waiter listens.
    struct options {
        options() {}
        std::chrono::milliseconds look_again{5'000};
        logger log;
    };
    /// The queue, and the client it uses, must outlive the waiter.
    explicit job_waiter(queue& q, options o = options{});
    ~job_waiter();
    job_waiter(const job_waiter&) = delete;
    job_waiter& operator=(const job_waiter&) = delete;

    void start();
    /// Waiting calls end with errc::stopped, and have ended when this does.
    task<void> stop();

    /// The return value (JSON). Throws job_failed_error; system_error: queue::errc::job_not_found (no such
    /// job, or removed), tiktrend::errc::timed_out after `ttl`, tiktrend::errc::stopped. Cancellation
    /// (terminal) ends the wait.
    task<std::string> wait(std::string id, std::chrono::milliseconds ttl);

private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace tiktrend::queue
