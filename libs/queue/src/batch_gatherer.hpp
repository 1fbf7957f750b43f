#pragma once
#include "job_ends.hpp"
#include "running_batch.hpp"

#include <tiktrend/base/task_group.hpp>

#include <list>

namespace tiktrend::queue {

/// Gathers the jobs that a worker takes into batches and runs each as one call of the processor. A job that
/// waits for others is active and its lock is renewed.
class batch_gatherer {
public:
    batch_gatherer(asio::any_io_executor executor, const worker_options& options, batch_processor run,
                   conveyor& carrier, job_ends& ends);

    /// The job that was just taken joins the next batch.
    void add(running_job& job);
    /// Starts batches as they become complete. Ends when cancelled.
    task<void> run();
    /// Gives back what has not started.
    void release_gathered();
    void set_concurrency(std::size_t n);
    /// Looks again at what waits, some of which was asked to stop.
    void wake() noexcept { changed_.set(); }
    /// Of running batches; join it when all have ended.
    task_group& batches() noexcept { return batches_; }

private:
    bool is_complete(std::chrono::steady_clock::time_point now) const noexcept;
    /// Drops what was asked to stop while it waited.
    void sift();
    /// Cancels batches all of whose jobs should stop.
    void stop_batches();
    void start_batch();
    task<void> process(std::list<running_batch>::iterator batch);
    /// As many jobs as free batches can take.
    void update_room();

    const worker_options& options_;
    batch_processor run_;
    conveyor& carrier_;
    job_ends& ends_;
    std::size_t size_, min_size_, concurrency_;
    std::vector<running_job*> gathered_;
    std::chrono::steady_clock::time_point first_at_;
    std::list<running_batch> running_;
    event changed_;
    task_group batches_;
};

} // namespace tiktrend::queue
