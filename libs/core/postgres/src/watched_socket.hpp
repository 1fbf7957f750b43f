#pragma once
#include <tiktrend/base/timeout.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>

namespace tiktrend::postgres {

/// The socket's readiness and the deadline of the operation in progress. Shared with the timer's handler,
/// which may run after the connection is gone.
struct watched_socket {
    using descriptor = asio::posix::stream_descriptor;
    explicit watched_socket(const asio::any_io_executor& executor) : socket{executor}, timer{executor} {}
    descriptor socket; ///< borrowed from libpq: always released, never closed
    asio::steady_timer timer;
    std::chrono::milliseconds limit{0};
    steady_time heard; ///< when the server was last heard of, or the operation began
    bool active = false;
    bool expired = false;

    void detach() noexcept {
        if (socket.is_open()) socket.release();
    }
};

/// Ends the wait when the server has been silent for the limit. One timer serves the whole operation: when it
/// fires early because something was heard meanwhile, it is set again.
void arm(const std::shared_ptr<watched_socket>& watch);

} // namespace tiktrend::postgres
