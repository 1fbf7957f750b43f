#pragma once
#include "conveyor.hpp"
#include "marker_plan.hpp"
#include "woken_fetch.hpp"

#include <tiktrend/redis/blocking_connection.hpp>

namespace tiktrend::queue {

/// Waits on the marker of the queue while the conveyor finds nothing to take, then lets it fetch again
/// (marker_plan). The fetch of one job waits with it, behind the marker, and comes back in the same reply.
class idle_waiter {
public:
    idle_waiter(asio::any_io_executor executor, const redis::address& where, const worker_options& options,
                const queue_keys& keys, conveyor& jobs);

    /// Ends when the conveyor has stopped fetching.
    task<void> run();
    /// Ends the connection, so that Redis forgets the wait and no marker is popped for nobody.
    void close() noexcept { connection_.finish(); }

private:
    task<void> wait_for_work();
    task<bool> block(marker_plan& plan, std::chrono::milliseconds limit);
    task<bool> block_with_fetch(const redis::command& wait, std::chrono::milliseconds limit);
    task<bool> rest_after_failure();

    const worker_options& options_;
    const queue_keys& keys_;
    conveyor& conveyor_;
    redis::blocking_connection connection_;
    woken_fetch fetch_;
};

} // namespace tiktrend::queue
