#pragma once
#include "politeness.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/base/random.hpp>

#include <deque>
#include <memory>
#include <unordered_map>

namespace tiktrend::worker {

/// Politeness of this process: delay, concurrency and pauses per host, in memory.
class local_politeness final : public politeness {
public:
    /// `patience`: nobody stands in line for longer, whatever holds it up (a host that answers slowly).
    local_politeness(asio::any_io_executor executor, random_source& random,
                     std::chrono::milliseconds patience = longest_line)
        : executor_{std::move(executor)}, random_{random}, patience_{patience} {}

    task<result<host_permit, std::chrono::milliseconds>>
    enter(std::string host, host_rules rules, std::chrono::milliseconds longest_pause) override;
    void pause(const std::string& host, std::chrono::milliseconds duration) override;

    std::size_t hosts() const noexcept { return hosts_.size(); }

private:
    struct host_state {
        explicit host_state(const asio::any_io_executor& ex) : changed{ex} {}
        int in_flight = 0;
        steady_time next_start{}; ///< no request starts before
        steady_time paused_until{};
        std::deque<const void*> queue; ///< who waits, by ticket
        event changed;
    };
    std::shared_ptr<host_state> state_of(const std::string& host);
    void forget_quiet_hosts(steady_time now);
    void start_request(host_state& s, std::chrono::milliseconds delay, steady_time now);

    asio::any_io_executor executor_;
    random_source& random_;
    std::chrono::milliseconds patience_;
    std::unordered_map<std::string, std::shared_ptr<host_state>> hosts_;
};

} // namespace tiktrend::worker
