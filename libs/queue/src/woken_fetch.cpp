#include "woken_fetch.hpp"

#include "conveyor.hpp"
#include "scripts.hpp"

#include <tiktrend/base/clock.hpp>
#include <tiktrend/redis/error.hpp>

namespace tiktrend::queue {
namespace {

constexpr std::chrono::minutes ask_again{1};

} // namespace

woken_fetch::woken_fetch(const worker_options& options, const queue_keys& keys)
    : options_{options}, keys_{keys}, limits_{metrics_and_group_limits(options)} {}

void woken_fetch::forget() noexcept {
    asked_at_.reset();
    is_known_ = false;
    is_refused_ = false;
}

task<bool> woken_fetch::prepare(redis::blocking_connection& connection) {
    const auto now = std::chrono::steady_clock::now();
    // Another clock than the machine's need not go on as the server's does.
    if (is_refused_ || options_.clock != &system_wall_clock()) co_return false;
    if (asked_at_ && now - *asked_at_ < ask_again) co_return true;
    const redis::command c{"TIME"};
    redis::reply reply;
    try {
        reply = co_await connection.exec(c, std::chrono::milliseconds{0});
        is_refused_ = reply.is_error();
    } catch (const redis::server_error& e) {
        if (e.code() != redis::errc::access_denied) throw;
        is_refused_ = true;
    }
    if (is_refused_) co_return false;
    asked_at_ = now;
    // Rather a millisecond late than before the job was added.
    const auto ours_us = (options_.clock->now_ms() + 1) * 1000;
    ahead_us_ = ours_us - (reply[0].integer() * 1'000'000 + reply[1].integer());
    co_return true;
}

redis::command woken_fetch::command(const std::string& token) {
    const auto& script = scripts::all().fetch_when_woken;
    redis::command c{is_known_ ? "EVALSHA" : "EVAL"};
    c.arg(is_known_ ? script.sha1() : script.text());
    c.arg(1).arg(keys_.base());
    c.arg(ahead_us_).arg(token).arg(options_.lock_duration.count()).arg(1).arg(options_.name);
    c.arg(options_.limiter_max).arg(options_.limiter_duration.count()).arg(limits_);
    is_known_ = true;
    return c;
}

bool woken_fetch::has_not_run(std::string_view error) noexcept {
    const bool is_forgotten = error.starts_with("NOSCRIPT");
    if (is_forgotten) is_known_ = false;
    return is_forgotten ||
           redis::classify(error); // what else there is may come from the middle of the script
}

} // namespace tiktrend::queue
