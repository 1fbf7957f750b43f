#pragma once
#include "backoff.hpp"
#include "connection.hpp"
#include "pipeline.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/base/task_group.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include <optional>

namespace tiktrend::redis {

/// One server's pipelined connection that reconnects by itself: what a client has one of, and a cluster's
/// client one per node. See client for what the calls promise.
class lane {
public:
    lane(const asio::any_io_executor& executor, address where, client_options options)
        : line_{executor, std::move(where), std::move(options)}, connected_{executor}, tasks_{executor} {}
    ~lane();

    void start();
    task<void> stop();
    task<void> wait_connected(std::chrono::milliseconds limit);
    bool is_connected() const noexcept { return started_ && !stopped_ && is_live(); }
    bool is_stopped() const noexcept { return !started_ || stopped_; }

    task<reply> exec(const command& c);
    task<std::vector<reply>> exec_all(std::span<const command> commands);
    /// `keys` and `args` need to live only until the first suspension.
    task<reply> eval(const script& s, std::span<const std::string_view> keys,
                     std::span<const std::string_view> args);

    const dialer& line() const noexcept { return line_; }
    std::uint64_t connects() const noexcept { return connects_; }
    /// Notified whenever a connection stands.
    event& connected() noexcept { return connected_; }

private:
    using result_handler = void(std::exception_ptr, reply);

    bool is_live() const noexcept { return live_ && live_->accepts(); }
    error_code why_not(std::size_t commands, std::size_t bytes) const noexcept;
    std::exception_ptr refusal(error_code why) const;

    /// Awaits the reply to what `encode` appends (one command), which must live until then.
    template <class Encode>
    auto send(const Encode& encode);
    task<reply> exec_when_connected(const command& c);
    task<void> wait_for_room();

    task<void> run();
    task<void> watch();
    void lost(error_code why, std::chrono::steady_clock::time_point since);

    dialer line_;
    default_random random_;
    bool started_ = false;
    bool stopped_ = false;
    bool joined_ = true;
    std::shared_ptr<pipeline> live_;
    std::vector<const script*> loaded_; ///< scripts whose text went over this connection
    std::exception_ptr last_failure_;   ///< why there is no connection
    std::size_t parked_ = 0;            ///< commands that wait for a connection
    std::uint64_t connects_ = 0;
    event connected_; ///< never set, since a connection may be dying while it looks alive; notified
    task_group tasks_;
};

} // namespace tiktrend::redis
