#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/timeout.hpp>

#include <boost/asio/co_spawn.hpp>

#include <chrono>
#include <stdexcept>

namespace tiktrend::testing {

/// Runs one coroutine to its end on `context` and rethrows what it threw. Past `limit` the test fails with an
/// exception instead of hanging. Everything the coroutine started on the context must have ended with it.
inline void run_on(asio::io_context& context, task<void> work,
                   std::chrono::milliseconds limit = std::chrono::seconds{20}) {
    std::exception_ptr error;
    bool ended = false;
    context.restart();
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr e) {
        error = std::move(e);
        ended = true;
    });
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!ended && std::chrono::steady_clock::now() < end)
        if (context.run_one_until(end) == 0) break;
    if (!ended) throw std::runtime_error("the coroutine did not end in time");
    context.run_for(
        std::chrono::milliseconds{100}); // handlers that are ready; returns at once when nothing is left
    if (error) std::rethrow_exception(error);
}

/// As above on a context of its own.
inline void run_coroutine(task<void> work, std::chrono::milliseconds limit = std::chrono::seconds{20}) {
    asio::io_context context{1};
    run_on(context, std::move(work), limit);
}

} // namespace tiktrend::testing
