#include "idle_waiter.hpp"

#include "worker_connection.hpp"

#include <tiktrend/base/timeout.hpp>

#include <fmt/format.h>

namespace tiktrend::queue {
namespace {

redis::client_options connection_options(const worker_options& options, const queue_keys& keys) {
    auto o = connection_for(options);
    o.client_name = keys.worker_connection(options.name);
    return o;
}

} // namespace

idle_waiter::idle_waiter(asio::any_io_executor executor, const redis::address& where,
                         const worker_options& options, const queue_keys& keys, conveyor& jobs)
    : options_{options}, keys_{keys}, conveyor_{jobs},
      connection_{executor, where, connection_options(options, keys)}, fetch_{options, keys} {}

task<void> idle_waiter::run() {
    auto& changed = conveyor_.changed();
    while (conveyor_.is_fetching()) {
        changed.reset();
        if (!conveyor_.begin_idle()) {
            co_await changed.wait();
            continue;
        }
        co_await wait_for_work();
        conveyor_.end_idle();
    }
}

task<void> idle_waiter::wait_for_work() {
    if (const auto until = conveyor_.limited_until(); until > std::chrono::steady_clock::now()) {
        while (conveyor_.may_take() && co_await conveyor_.changed().wait_until(until))
            conveyor_.changed().reset();
        co_return;
    }
    marker_plan plan{options_.drain_delay, conveyor_.next_delayed_ms()};
    while (conveyor_.may_take()) {
        const auto limit = plan.block_for(options_.clock->now_ms());
        if (limit.count() == 0 || co_await block(plan, limit)) co_return;
    }
}

/// True: do not wait any longer.
task<bool> idle_waiter::block(marker_plan& plan, std::chrono::milliseconds limit) {
    const redis::command c{"BZPOPMIN", keys_.marker(), keys_.groups_marker(),
                           fmt::format("{:.3f}", static_cast<double>(limit.count()) / 1000)};
    try {
        if (co_await fetch_.prepare(connection_)) co_return co_await block_with_fetch(c, limit);
        const auto reply = co_await connection_.exec(c, limit);
        if (reply.is_nil()) co_return true;
        if (!reply.is_error())
            co_return plan.popped(reply[1].text(), whole_milliseconds(reply[2].text()),
                                  options_.clock->now_ms());
        options_.log.error("queue_wait_refused", {{"queue", keys_.base()}, {"error", reply.text()}});
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        fetch_.forget();
        options_.log.debug("queue_wait_failed", {{"queue", keys_.base()}, {"error", e.what()}});
    }
    co_return co_await rest_after_failure();
}

/// What the fetch brings is the conveyor's; true in any case.
task<bool> idle_waiter::block_with_fetch(const redis::command& wait, std::chrono::milliseconds limit) {
    auto call = conveyor_.begin_woken_call();
    std::pair<redis::reply, redis::reply> replies;
    try {
        const auto fetch = fetch_.command(call.token);
        replies = co_await connection_.exec_with(wait, fetch, limit);
    } catch (const system_error& e) {
        if (redis::is_certainly_not_executed(e.code()))
            conveyor_.woken_in_vain(std::move(call));
        else if (!is_cancelled(e.code()))
            conveyor_.woken_unclear(std::move(call));
        throw;
    }
    const auto& [marker, jobs] = replies;
    if (!jobs.is_error()) {
        conveyor_.woken(std::move(call), jobs);
    } else {
        options_.log.debug("queue_wait_failed", {{"queue", keys_.base()}, {"error", jobs.text()}});
        if (fetch_.has_not_run(jobs.text()))
            conveyor_.woken_in_vain(std::move(call));
        else
            conveyor_.woken_unclear(std::move(call));
    }
    if (!marker.is_error()) co_return true;
    options_.log.error("queue_wait_refused", {{"queue", keys_.base()}, {"error", marker.text()}});
    co_return co_await rest_after_failure();
}

/// The fetch that follows finds out whether Redis is there; meanwhile this must not turn in circles.
task<bool> idle_waiter::rest_after_failure() {
    if (conveyor_.may_take()) {
        conveyor_.changed().reset();
        co_await conveyor_.changed().wait_for(std::chrono::milliseconds{200});
    }
    co_return true;
}

} // namespace tiktrend::queue
