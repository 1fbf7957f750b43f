#pragma once
#include "queue_fixture.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/base/timeout.hpp>

#include <optional>

namespace tiktrend::testing {

/// A queue_fixture with a client, a queue and one worker on one executor, and a record of what the worker
/// reported.
class worker_fixture : public queue_fixture {
public:
    struct outcome {
        std::string id;
        queue::worker_options::outcome::kind what;
        std::string reason;
    };

    using queue_fixture::queue_fixture;

    /// Starts the worker, runs `work`, stops the worker within a second for running jobs and a few more for
    /// the rest.
    void run(queue::worker_options options, queue::processor processor,
             std::function<task<void>(worker_fixture&)> work, std::chrono::milliseconds limit = 30s);

    /// The same with a worker that runs batches.
    void run_batches(queue::worker_options options, queue::batch_processor processor,
                     std::function<task<void>(worker_fixture&)> work, std::chrono::milliseconds limit = 30s);

    queue::queue& queue() noexcept { return *queue_; }
    queue::worker& worker() noexcept { return *worker_; }
    redis::client& client() noexcept { return *client_; }
    /// Ends the worker early; the number of jobs not given back.
    task<std::size_t> stop_worker(std::chrono::milliseconds finish_in = 1s,
                                  std::chrono::milliseconds close_in = 5s);

    /// Waits until the worker has reported `n` outcomes in all.
    task<void> outcomes(std::size_t n);
    const std::vector<outcome>& seen() const noexcept { return seen_; }
    std::size_t count(queue::worker_options::outcome::kind what) const;
    /// Waits until `done` holds, looking every few milliseconds, for at most 20 s.
    task<void> until(std::function<bool()> done);
    /// Waits until the worker waits at the queue's marker: it has taken what there was.
    task<void> until_at_rest();
    /// How often anybody began to wait at a marker on this server. Counts on while a worker polls.
    std::size_t rests() const;

private:
    template <class Processor>
    task<void> body(queue::worker_options& options, Processor& processor,
                    std::function<task<void>(worker_fixture&)>& work);

    std::optional<redis::client> client_;
    std::optional<queue::queue> queue_;
    std::optional<queue::worker> worker_;
    std::optional<event> reported_;
    std::vector<outcome> seen_;
};

} // namespace tiktrend::testing
