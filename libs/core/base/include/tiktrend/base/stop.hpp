#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/timeout.hpp>

#include <string>

namespace tiktrend {

/// Two-phase stop (design, "Stop"). Phase one: take no new work, finish what you hold. Phase two: now.
/// Belongs to one executor; other threads post to it. Asking twice is fine; phases only go forward.
class stop_state {
public:
    enum class phase { running, draining, terminating };

    explicit stop_state(asio::any_io_executor executor) : draining_{executor}, terminating_{executor} {}

    /// Enters phase one. `deadline` is when phase two starts by itself (see run()). A second call may only
    /// bring the deadline forward.
    void request(steady_time deadline, std::string reason);
    /// Enters phase two (second signal, deadline passed).
    void terminate(std::string reason);

    phase current() const noexcept { return phase_; }
    bool is_stopping() const noexcept { return phase_ != phase::running; }
    const std::string& reason() const noexcept { return reason_; }
    steady_time deadline() const noexcept { return deadline_; }

    event& draining() noexcept { return draining_; }
    event& terminating() noexcept { return terminating_; }

    /// Waits for phase one, then for the deadline, and enters phase two. Ends at phase two or when cancelled.
    task<void> run();

private:
    phase phase_ = phase::running;
    steady_time deadline_ = steady_time::max();
    std::string reason_;
    event draining_;
    event terminating_;
};

} // namespace tiktrend
