#include "shared_politeness.hpp"

#include <tiktrend/base/digest.hpp>
#include <tiktrend/base/embedded.hpp>

#include <fmt/format.h>

#include <array>
#include <stdexcept>

namespace tiktrend::worker {
namespace lua {
std::span<const embedded_file> files() noexcept;
}

using std::chrono::milliseconds;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr milliseconds first_pause{200};             ///< before a release is told again; doubles …
constexpr milliseconds longest_pause_between{5'000}; ///< … up to this
constexpr std::size_t most_doubtful = 100;           ///< leases without an answer that are looked after

redis::script load(std::string_view name) {
    return {name, std::string{embedded_text(lua::files(), name)}};
}

const redis::script& lease_script() {
    static const auto s = load("lease_host.lua");
    return s;
}
const redis::script& release_script() {
    static const auto s = load("release_host.lua");
    return s;
}
const redis::script& pause_script() {
    static const auto s = load("pause_host.lua");
    return s;
}

std::string process_token() {
    return to_hex(random_bytes(8));
}

redis::reply checked(redis::reply r) {
    if (r.is_error()) throw std::runtime_error(std::string{r.text()});
    return r;
}

} // namespace

shared_politeness::shared_politeness(redis::client& redis, random_source& random,
                                     shared_politeness_options options)
    : redis_{redis}, random_{random}, options_{std::move(options)}, local_{redis.get_executor(), random},
      process_{process_token()}, tasks_{redis.get_executor()} {}

shared_politeness::keys shared_politeness::keys_of(const std::string& host) const {
    auto state = options_.key_prefix + '{' + host + '}';
    auto leases = state + ":leases";
    return {std::move(state), std::move(leases)};
}

void shared_politeness::fell_back(std::string_view what, const std::exception& e) {
    if (options_.on_fallback) options_.on_fallback();
    options_.log.warn("politeness_not_shared", {{"call", what}, {"error", e.what()}});
}

task<std::optional<milliseconds>> shared_politeness::lease(const keys& at, const std::string& token,
                                                           const host_rules& rules) {
    const std::array<std::string_view, 2> names{at.state, at.leases};
    const auto delay = std::to_string(rules.delay.count());
    const auto factor = std::to_string(800 + static_cast<int>(400 * random_.next()));
    const auto concurrency = std::to_string(std::max(1, rules.concurrency));
    const auto life = std::to_string(options_.lease.count());
    const std::array<std::string_view, 5> args{token, delay, factor, concurrency, life};
    const auto answer =
        checked(co_await within(options_.redis_limit, redis_.eval(lease_script(), names, args)));
    const auto code = answer[0].integer();
    if (code == 1) co_return std::nullopt;
    co_return code == 0 ? milliseconds{std::max<std::int64_t>(1, answer[1].integer())} : milliseconds{-1};
}

task<result<host_permit, milliseconds>> shared_politeness::enter(std::string host, host_rules rules,
                                                                 milliseconds longest_pause) {
    auto local = co_await local_.enter(host, rules, longest_pause);
    if (!local) co_return local.error();
    const auto at = keys_of(host);
    const auto begun = clock_type::now();
    auto token = fmt::format("{}:{}", process_, ++tokens_);
    for (;;) {
        std::optional<milliseconds> wait;
        try {
            wait = co_await lease(at, token, rules);
        } catch (const std::exception& e) {
            forget_doubtful(host, token, rules);
            if (const auto* s = dynamic_cast<const system_error*>(&e); s && is_cancelled(s->code())) throw;
            fell_back("lease", e);
            co_return std::move(*local);
        }
        if (!wait) co_return permit(std::move(host), std::move(token), rules, std::move(*local));
        if (*wait > longest_pause) co_return *wait;
        const auto waited = std::chrono::duration_cast<milliseconds>(clock_type::now() - begun);
        if (waited > longest_line) co_return std::max(*wait, rules.delay);
        const bool is_busy = *wait < milliseconds::zero();
        const auto spread =
            milliseconds{static_cast<std::int64_t>(random_.next() * 20)}; // not all at one instant
        co_await sleep_for((is_busy ? options_.busy_poll : *wait) + spread);
    }
}

host_permit shared_politeness::permit(std::string host, std::string token, host_rules rules,
                                      host_permit local) {
    return host_permit{[this, host = std::move(host), token = std::move(token), rules,
                        held = std::move(local)](const host_visit& visit) mutable {
        tasks_.spawn("release host", release(std::move(host), std::move(token), rules, visit));
        const host_permit ends_now{std::move(held)};
    }};
}

/// Tried again until it is told or the lease has ended by itself: a lease that stays would hold a place of a
/// host that nobody asks.
task<void> shared_politeness::release(std::string host, std::string token, host_rules rules,
                                      host_visit visit) {
    const auto ends = clock_type::now() + options_.lease;
    for (milliseconds pause = first_pause; clock_type::now() < ends;
         pause = std::min(pause * 2, longest_pause_between)) {
        try {
            co_await tell_release(host, token, rules, visit);
            co_return;
        } catch (const std::exception& e) {
            if (const auto* known = dynamic_cast<const system_error*>(&e);
                known && is_cancelled(known->code()))
                co_return;
            fell_back("release", e);
        }
        try {
            co_await sleep_for(pause);
        } catch (const system_error&) { // stop() gives up
            co_return;
        }
    }
}

task<void> shared_politeness::tell_release(const std::string& host, const std::string& token,
                                           const host_rules& rules, const host_visit& visit) {
    const auto at = keys_of(host);
    const std::array<std::string_view, 2> names{at.state, at.leases};
    const auto first_byte = std::to_string(visit.first_byte.count());
    const auto delay = std::to_string(rules.delay.count());
    const auto most = std::to_string(options_.most_delay.count());
    const auto quiet = std::to_string(options_.quiet.count());
    const std::array<std::string_view, 6> args{
        token, visit.is_overloaded ? "1" : "0", first_byte, delay, most, quiet};
    checked(co_await within(options_.redis_limit, redis_.eval(release_script(), names, args)));
}

void shared_politeness::forget_doubtful(const std::string& host, const std::string& token,
                                        const host_rules& rules) {
    if (doubtful_ == most_doubtful)
        return; // with Redis gone there is one for each request, and none was granted
    ++doubtful_;
    tasks_.spawn("forget lease", release_doubtful(host, token, rules));
}

task<void> shared_politeness::release_doubtful(std::string host, std::string token, host_rules rules) {
    struct at_end {
        std::size_t& count;
        ~at_end() { --count; }
    } const counted{doubtful_};
    const auto ends = clock_type::now() + options_.lease;
    while (clock_type::now() < ends) {
        try {
            co_await tell_release(host, token, rules, {});
            co_return;
        } catch (const std::exception& e) {
            const auto* known = dynamic_cast<const system_error*>(&e);
            if (known && is_cancelled(known->code())) co_return;
        }
        try {
            co_await sleep_for(longest_pause_between);
        } catch (const system_error&) { // stop() gives up
            co_return;
        }
    }
}

void shared_politeness::pause(const std::string& host, milliseconds duration) {
    local_.pause(host, duration);
    tasks_.spawn("pause host", tell_pause(host, duration));
}

task<void> shared_politeness::tell_pause(std::string host, milliseconds duration) {
    try {
        const auto at = keys_of(host);
        const std::array<std::string_view, 1> names{at.state};
        const auto text = std::to_string(duration.count());
        const std::array<std::string_view, 1> args{text};
        checked(co_await within(options_.redis_limit, redis_.eval(pause_script(), names, args)));
    } catch (const std::exception& e) { // other workers find out by themselves
        fell_back("pause", e);
    }
}

task<void> shared_politeness::stop(milliseconds limit) {
    if (co_await tasks_.join_until(clock_type::now() + limit)) co_return;
    tasks_.cancel();
    co_await tasks_.join();
}

} // namespace tiktrend::worker
