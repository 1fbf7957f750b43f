#include <tiktrend/base/timeout.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace tiktrend {
namespace detail {
namespace {

/// Lives until the work has ended and the timer has forgotten it.
struct watched_work {
    asio::cancellation_signal stop;
    bool has_ended = false;
    bool is_late = false;
};

} // namespace

// Asio's `work || timer` does the same with a coroutine for the timer and an exception that ends it each
// time; several calls for every page of a scrape and every cached answer come through here.
task<bool> run_until(task<void> work, steady_time deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const auto watched = std::make_shared<watched_work>();
    asio::steady_timer timer{executor, deadline};
    timer.async_wait([watched](const error_code& ec) {
        if (ec || watched->has_ended) return;
        watched->is_late = true;
        watched->stop.emit(asio::cancellation_type::terminal);
    });
    // Whoever cancels this coroutine means the work.
    struct cancellation {
        asio::cancellation_slot slot; ///< not connected if nobody can
        watched_work& work;
        ~cancellation() {
            work.has_ended = true;
            slot.clear();
        }
    };
    cancellation passed_on{(co_await asio::this_coro::cancellation_state).slot(), *watched};
    if (passed_on.slot.is_connected())
        passed_on.slot.assign([w = watched.get()](asio::cancellation_type type) { w->stop.emit(type); });
    co_await asio::co_spawn(executor, std::move(work),
                            asio::bind_cancellation_slot(watched->stop.slot(), asio::use_awaitable));
    co_return !watched->is_late;
}

task<void> capture(task<void> work, std::exception_ptr& error) {
    try {
        co_await std::move(work);
    } catch (...) {
        error = std::current_exception();
    }
}

} // namespace detail

task<void> until(steady_time deadline, task<void> work) {
    std::exception_ptr error;
    const bool in_time = co_await detail::run_until(detail::capture(std::move(work), error), deadline);
    if (!error) co_return;
    if (!in_time) throw system_error(errc::timed_out);
    std::rethrow_exception(error);
}

task<void> sleep_for(std::chrono::steady_clock::duration duration) {
    asio::steady_timer timer{co_await asio::this_coro::executor, duration};
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace tiktrend
