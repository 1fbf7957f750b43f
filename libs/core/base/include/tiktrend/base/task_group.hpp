#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/event.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <exception>
#include <functional>
#include <list>
#include <string>
#include <string_view>

namespace tiktrend {

/// Owner of coroutines: everything spawned here ends before join() returns. Make it the owner's last member
/// and await join() in the owner's stop(); the destructor asserts that the group is empty, because a
/// destructor cannot wait.
class task_group {
public:
    /// Called when a task ends with an exception other than a cancellation. Default: std::terminate with the
    /// message on stderr, since an error that nobody expected must not pass in silence.
    using error_handler = std::function<void(std::string_view name, std::exception_ptr)>;

    explicit task_group(asio::any_io_executor executor, error_handler on_error = {});
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    ~task_group();

    /// Starts `t`. Called on the executor's thread, `t` runs inside spawn() up to its first wait, and a task
    /// that never waits has ended when spawn() returns. `name` appears in errors and names(). The signal
    /// cancels this one task; it may be used as long as the task has not ended, which the caller must know.
    asio::cancellation_signal& spawn(std::string_view name, task<void> t);

    /// Asks every running task to end. `terminal` reaches all; `total` reaches those that enabled it.
    void cancel(asio::cancellation_type type = asio::cancellation_type::terminal);

    /// Waits until the group is empty (also for tasks spawned meanwhile). Does not cancel anything by itself.
    task<void> join();
    /// As join() with a bound. True if the group is empty.
    task<bool> join_until(std::chrono::steady_clock::time_point deadline);

    std::size_t size() const noexcept { return tasks_.size(); }
    /// Names of the tasks that still run, for "what are we waiting for" messages.
    std::vector<std::string> names() const;

private:
    struct entry {
        std::string name;
        asio::cancellation_signal signal;
    };
    asio::any_io_executor executor_;
    error_handler on_error_;
    std::list<entry> tasks_;
    event idle_;
};

} // namespace tiktrend
