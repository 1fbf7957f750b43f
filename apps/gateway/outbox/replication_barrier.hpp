#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/redis/client.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace tiktrend::gateway {

/// Waits until replicas of a Redis have what it had (https://redis.io/docs/latest/commands/wait/). Callers
/// that come while a WAIT is under way share the next one. Uses a connection of its own, since a WAIT holds
/// up what comes behind it.
///
/// Owned by one executor. Life: construct, start(), use, co_await stop().
class replication_barrier {
public:
    replication_barrier(asio::any_io_executor executor, redis::address where, int replicas,
                        std::chrono::milliseconds timeout, logger log);
    ~replication_barrier();

    void start();
    task<void> stop();

    /// True if all `keys` exist and so many replicas have confirmed everything up to that look: the look
    /// comes first, on the same connection, so that a master that was promoted without the keys is noticed.
    /// Throws redis::errc when it cannot be asked.
    task<bool> reached(std::vector<std::string> keys);

private:
    struct round;
    task<void> run(std::shared_ptr<round> r);
    void begin_next();

    asio::any_io_executor executor_;
    redis::client client_;
    int replicas_;
    std::chrono::milliseconds timeout_;
    std::shared_ptr<round> gathering_;
    bool busy_ = false;
    task_group tasks_;
};

} // namespace tiktrend::gateway
