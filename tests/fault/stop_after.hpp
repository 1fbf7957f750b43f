#pragma once
#include <tiktrend/base/timeout.hpp>

namespace tiktrend::testing {

/// Awaits `work` at most for `limit` and then, whatever it threw, `stop`: what has to be stopped before it
/// goes is stopped in a test that fails too, so that the failure is reported instead of an assertion.
/// Rethrows what `work` threw.
inline task<void> stop_after(std::chrono::milliseconds limit, task<void> work, task<void> stop) {
    std::exception_ptr error;
    try {
        co_await within(limit, std::move(work));
    } catch (...) {
        error = std::current_exception();
    }
    co_await std::move(stop);
    if (error) std::rethrow_exception(error);
}

} // namespace tiktrend::testing
