// What ends a connection's waits from outside: the server's tick, a drain, the end of the server.
#include "connection.hpp"
#include "server_core.hpp"

#include <algorithm>

namespace tiktrend::http {
namespace {

constexpr std::chrono::seconds uncooperative_handler{5}; ///< how long a cancelled handler may take to end

} // namespace

void connection::on_tick(steady_time at) {
    if (at >= deadline_) return expire(at);
    const auto& o = core_.options;
    if (phase_ == phase::body && o.body_min_bytes_per_second > 0 && at - body_started_ >= o.body_rate_grace) {
        const auto seconds = std::chrono::duration<double>(at - body_started_).count();
        const auto seen = static_cast<double>(body_seen_ + in_.bytes().size());
        if (seen < seconds * static_cast<double>(o.body_min_bytes_per_second)) expire(at);
    }
}

void connection::expire(steady_time at) {
    deadline_ = steady_time::max();
    error_code ignored;
    switch (phase_) {
    case phase::idle:
    case phase::head:
    case phase::body:
    case phase::writing:
    case phase::lingering:
        expired_ = true;
        socket_.cancel(ignored);
        break;
    case phase::handler:
        if (!expired_) {
            expired_ = true;
            deadline_ = at + uncooperative_handler;
            cancel_.emit(asio::cancellation_type::terminal);
        } else {
            core_.options.log.error("http_handler_ignores_cancellation",
                                    {{"request_id", request_.request_id}, {"route", request_.route}});
            socket_.close(ignored); // the client at least need not wait
        }
        break;
    case phase::streaming:
    case phase::over:
        break;
    }
}

void connection::shorten_idle(steady_time at) {
    if (phase_ == phase::idle)
        deadline_ = std::min(deadline_, std::max(at, last_active_ + core_.options.drain_idle_grace));
}

void connection::cut() {
    cut_ = true;
    cancel_.emit(asio::cancellation_type::terminal);
    error_code ignored;
    socket_.cancel(ignored);
}

} // namespace tiktrend::http
