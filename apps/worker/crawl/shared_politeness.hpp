#pragma once
#include "local_politeness.hpp"

#include <tiktrend/base/log.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/redis/client.hpp>

#include <functional>
#include <string>

namespace tiktrend::worker {

struct shared_politeness_options {
    shared_politeness_options() {}
    std::string key_prefix = "tiktrend:host:"; ///< keys: <prefix>{<host>} and <prefix>{<host>}:leases
    std::chrono::milliseconds lease{
        120'000}; ///< longest life of a permit nobody gives back; above a request's total time
    std::chrono::milliseconds most_delay{60'000}; ///< the learnt delay stays below
    std::chrono::milliseconds quiet{60'000};      ///< without trouble for so long, the learnt delay is halved
    std::chrono::milliseconds busy_poll{150};     ///< between two looks at a host whose leases are all taken
    std::chrono::milliseconds redis_limit{1'000}; ///< of one call; then this process keeps its own rule alone
    std::function<void()> on_fallback;            ///< a request goes out under the rule of this process only
    logger log;
};

/// Politeness that all workers on one Redis share: one script call leases a host's next start, so the delay
/// and the number of requests hold for the fleet (lua/lease_host.lua). Learns from answers: overload doubles
/// the delay, quiet halves it (lua/release_host.lua). Within the process local_politeness keeps the line, so
/// a host costs at most one poll a worker.
///
/// With Redis gone the process goes on under its local rule: a fleet of n then asks at most n times as often,
/// which on_fallback counts.
class shared_politeness final : public politeness {
public:
    /// All references must outlive stop().
    shared_politeness(redis::client& redis, random_source& random,
                      shared_politeness_options options = shared_politeness_options{});

    task<result<host_permit, std::chrono::milliseconds>>
    enter(std::string host, host_rules rules, std::chrono::milliseconds longest_pause) override;
    void pause(const std::string& host, std::chrono::milliseconds duration) override;

    /// Waits for what was given back to reach Redis, at most `limit`.
    task<void> stop(std::chrono::milliseconds limit);

private:
    struct keys {
        std::string state;
        std::string leases;
    };
    keys keys_of(const std::string& host) const;
    /// Nothing: granted. Otherwise when to ask again; negative: when a lease is free.
    task<std::optional<std::chrono::milliseconds>> lease(const keys& at, const std::string& token,
                                                         const host_rules& rules);
    host_permit permit(std::string host, std::string token, host_rules rules, host_permit local);
    task<void> release(std::string host, std::string token, host_rules rules, host_visit visit);
    /// Of a lease that may have been granted although its answer never came.
    void forget_doubtful(const std::string& host, const std::string& token, const host_rules& rules);
    task<void> release_doubtful(std::string host, std::string token, host_rules rules);
    task<void> tell_release(const std::string& host, const std::string& token, const host_rules& rules,
                            const host_visit& visit);
    task<void> tell_pause(std::string host, std::chrono::milliseconds duration);
    void fell_back(std::string_view what, const std::exception& e);

    redis::client& redis_;
    random_source& random_;
    shared_politeness_options options_;
    local_politeness local_;
    std::string process_; ///< makes tokens unique over the fleet
    std::uint64_t tokens_ = 0;
    std::size_t doubtful_ = 0; ///< leases that are being forgotten
    task_group tasks_;
};

} // namespace tiktrend::worker
