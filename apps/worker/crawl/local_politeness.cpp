#include "local_politeness.hpp"

#include <algorithm>

namespace tiktrend::worker {

using std::chrono::milliseconds;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr std::size_t hosts_before_cleaning = 1000;
constexpr milliseconds least_pause{1000}; ///< of whoever stood in line for too long

/// A place in a host's queue; leaves it and wakes the others whatever way the wait ends.
template <class State>
class ticket {
public:
    explicit ticket(State& s) : state_{s} { state_.queue.push_back(this); }
    ticket(const ticket&) = delete;
    ticket& operator=(const ticket&) = delete;
    ~ticket() {
        std::erase(state_.queue, this);
        state_.changed.notify_all();
    }
    bool is_first() const noexcept { return state_.queue.front() == this; }

private:
    State& state_;
};

} // namespace

std::shared_ptr<local_politeness::host_state> local_politeness::state_of(const std::string& host) {
    auto& slot = hosts_[host];
    if (!slot) slot = std::make_shared<host_state>(executor_);
    return slot;
}

void local_politeness::forget_quiet_hosts(steady_time now) {
    if (hosts_.size() < hosts_before_cleaning) return;
    std::erase_if(hosts_, [now](const auto& entry) {
        const auto& s = *entry.second;
        return s.in_flight == 0 && s.queue.empty() && s.next_start <= now && s.paused_until <= now;
    });
}

void local_politeness::start_request(host_state& s, milliseconds delay, steady_time now) {
    ++s.in_flight;
    const double factor = 0.8 + 0.4 * random_.next();
    s.next_start = now + std::chrono::duration_cast<clock_type::duration>(delay * factor);
}

task<result<host_permit, milliseconds>> local_politeness::enter(std::string host, host_rules rules,
                                                                milliseconds longest_pause) {
    forget_quiet_hosts(clock_type::now());
    const auto state = state_of(host);
    const auto line = rules.delay * static_cast<std::int64_t>(state->queue.size());
    if (line > longest_line) co_return line;
    const ticket<host_state> place{*state};
    const auto give_up_at = clock_type::now() + patience_;
    for (;;) {
        const auto now = clock_type::now();
        if (state->paused_until > now + longest_pause)
            co_return std::chrono::ceil<milliseconds>(state->paused_until - now);
        const auto ready_at = std::max(state->next_start, state->paused_until);
        if (state->next_start > now + longest_pause)
            co_return std::chrono::ceil<milliseconds>(state->next_start - now);
        const bool has_room = state->in_flight < std::max(1, rules.concurrency);
        if (place.is_first() && has_room && now >= ready_at) {
            start_request(*state, rules.delay, now);
            co_return host_permit{[state](const host_visit&) {
                --state->in_flight;
                state->changed.notify_all();
            }};
        }
        if (now >= give_up_at) co_return std::max(rules.delay, least_pause);
        // Only the first watches the host's clock; the others are woken when the line moves.
        const bool is_next = place.is_first() && has_room;
        co_await state->changed.wait_until(is_next ? std::min(ready_at, give_up_at) : give_up_at);
    }
}

void local_politeness::pause(const std::string& host, milliseconds duration) {
    const auto state = state_of(host);
    state->paused_until = std::max(state->paused_until, clock_type::now() + duration);
    state->changed.notify_all();
}

} // namespace tiktrend::worker
