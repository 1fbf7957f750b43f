#include <tiktrend/base/timeout.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tiktrend {
namespace detail {

task<bool> run_until(task<void> work, steady_time deadline) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer timer{co_await asio::this_coro::executor, deadline};
    const auto first = co_await (std::move(work) || timer.async_wait(asio::use_awaitable));
    co_return first.index() == 0;
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
