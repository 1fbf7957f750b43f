#pragma once
#include <tiktrend/queue/queue.hpp>
#include <tiktrend/queue/worker.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::queue {

// Cancelling a running job from another process: BullMQ cancels inside one process only, so this is ours. A
// request is a message of Redis's pub/sub on the channel "<prefix>:<queue>:cancel" (nothing is stored there,
// so no other client is disturbed); every worker of the queue hears it, and the one that runs the job ends it
// (worker::cancel()). Messages are lost on the way to a worker that is just reconnecting: whoever asks looks
// at the job afterwards and asks again. An ACL needs
// "&<prefix>:<queue>:cancel".

/// Asks the worker that runs the job to end it; the job then fails for good with this reason. Workers that
/// heard it (any of them, not only the one). Throws as queue's calls do.
task<std::int64_t> request_cancellation(queue& q, std::string id, std::string reason);

// A worker that is lost while it is asked ends nothing, and the stalled check gives its job to another. So
// the wish can be kept: in the string "cancelled:<prefix>:<queue>:<id>", outside the queue's own keys, where
// no other client looks. It binds those who ask kept_cancellation(); workers of other programs do not. An ACL
// needs "~cancelled:<prefix>:*". Each of the three is one command, and throws as queue's calls do.

/// Keeps the wish for `life`.
task<void> keep_cancellation(queue& q, const std::string& id, std::string_view reason,
                             std::chrono::milliseconds life);
/// The reason, if the job was to be cancelled.
task<std::optional<std::string>> kept_cancellation(queue& q, const std::string& id);
/// Once the job has ended, or shall run after all.
task<void> forget_cancellation(queue& q, const std::string& id);

/// The hearing side, on a connection of its own. Owned by the worker's executor.
class cancellation_listener {
public:
    /// Told of each request, from the executor; must not throw. Usually worker::cancel().
    using handler = std::function<void(std::string_view id, std::string_view reason)>;

    cancellation_listener(asio::any_io_executor executor, redis::address where, std::string queue_name,
                          handler h, std::string prefix = "bull", logger log = {});
    ~cancellation_listener();
    cancellation_listener(const cancellation_listener&) = delete;
    cancellation_listener& operator=(const cancellation_listener&) = delete;

    void start();
    task<void> stop();
    bool is_connected() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::queue
