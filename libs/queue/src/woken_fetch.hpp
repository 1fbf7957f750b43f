#pragma once
#include "keys.hpp"

#include <tiktrend/queue/worker.hpp>
#include <tiktrend/redis/blocking_connection.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace tiktrend::queue {

/// Makes the command that an idle worker sends behind its wait (fetch_when_woken.lua), and keeps what that
/// takes: how the server's clock differs from the worker's, and whether the server knows the script.
class woken_fetch {
public:
    woken_fetch(const worker_options& options, const queue_keys& keys);

    /// Asks the server for its time, if it was not asked for a minute. False: there is no command, since the
    /// server does not tell or the worker's clock is not the machine's. Throws as
    /// blocking_connection::exec().
    task<bool> prepare(redis::blocking_connection& connection);

    /// For one job under this token; after prepare().
    redis::command command(const std::string& token);
    /// The reply is an error: what the next command is, and whether this one certainly has not run.
    bool has_not_run(std::string_view error) noexcept;
    /// The next connection may lead to another server.
    void forget() noexcept;

private:
    const worker_options& options_;
    const queue_keys& keys_;
    std::string limits_; ///< ARGV[8]
    std::int64_t ahead_us_ = 0;
    std::optional<std::chrono::steady_clock::time_point> asked_at_;
    bool is_known_ = false;   ///< the script
    bool is_refused_ = false; ///< the time
};

} // namespace tiktrend::queue
