#pragma once
#include <tiktrend/base/single_flight.hpp>
#include <tiktrend/http/router.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace tiktrend::gateway {

/// Looks at what the gateway depends on. `probe` throws when the dependency does not answer; each gets one
/// second. Results are kept for a second, so that probes of many load balancers cost nothing.
class health {
public:
    struct dependency {
        std::string name;
        bool required; ///< not ready without it
        std::function<task<void>()> probe;
        bool is_server =
            true; ///< something that answers, as opposed to a state of this program or of such a server
    };
    /// `more` gives further members of the whole answer, as JSON text: `"name":value`.
    health(asio::any_io_executor executor, std::vector<dependency> dependencies,
           const std::atomic<bool>& draining, std::atomic<bool>& was_ready,
           std::function<std::string()> more = {});

    http::handler live();  ///< 200 while the process turns its loops
    http::handler ready(); ///< 200, or 503 while draining or without a required dependency
    /// For load balancers: 200 once it was ready, until it drains or reaches none of its servers. The
    /// outage of one would otherwise take every gateway out at once, with the answers that need it not.
    http::handler serving();
    http::handler all(); ///< every dependency with its latency; 503 as ready()

private:
    struct state {
        bool up = false;
        std::string error;
        std::chrono::microseconds latency{};
    };
    task<void> refresh();
    task<void> probe_from(std::size_t i); ///< that one and those behind it, at once
    task<void> probe_one(std::size_t i);
    bool is_ready() const;
    bool needs_are_met() const; ///< when last looked at
    task<http::response> answer(bool with_details);
    task<http::response> answer_serving();

    asio::any_io_executor executor_;
    std::vector<dependency> dependencies_;
    std::vector<state> states_;
    const std::atomic<bool>& draining_;
    std::atomic<bool>&
        was_ready_; ///< ever, this process: its threads share it, as load balancers see one gateway
    std::function<std::string()> more_;
    std::chrono::steady_clock::time_point checked_at_ = std::chrono::steady_clock::time_point::min();
    single_flight check_;
};

} // namespace tiktrend::gateway
