#pragma once
// "Every wait has a deadline." Boost 1.81 has no cancel_after; this is the one place that builds it.
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/error.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

namespace tiktrend {

using steady_time = std::chrono::steady_clock::time_point;

namespace detail {
/// Runs `work` until it ends or the deadline passes; cancels it (terminal) in the second case and waits for
/// its end. Returns false if the deadline passed first. `work` must not throw.
task<bool> run_until(task<void> work, steady_time deadline);

template <class T>
task<void> capture(task<T> work, std::optional<T>& value, std::exception_ptr& error) {
    try {
        value.emplace(co_await std::move(work));
    } catch (...) {
        error = std::current_exception();
    }
}
task<void> capture(task<void> work, std::exception_ptr& error);
} // namespace detail

/// Awaits `work` at most until `deadline`. Past it, `work` is cancelled, its end is awaited, and
/// system_error(errc::timed_out) is thrown - unless `work` ended with a value all the same, which is then
/// returned. Exceptions of `work` pass through.
template <class T>
task<T> until(steady_time deadline, task<T> work) {
    std::optional<T> value;
    std::exception_ptr error;
    const bool in_time = co_await detail::run_until(detail::capture(std::move(work), value, error), deadline);
    if (value) co_return std::move(*value);
    if (!in_time) throw system_error(errc::timed_out);
    std::rethrow_exception(error);
}
task<void> until(steady_time deadline, task<void> work);

template <class T>
task<T> within(std::chrono::steady_clock::duration limit, task<T> work) {
    return until(std::chrono::steady_clock::now() + limit, std::move(work));
}

/// Sleeps; throws system_error(operation_aborted) when cancelled.
task<void> sleep_for(std::chrono::steady_clock::duration duration);

} // namespace tiktrend
