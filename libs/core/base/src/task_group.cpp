#include <tiktrend/base/error.hpp>
#include <tiktrend/base/task_group.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <cassert>
#include <cstdio>

namespace tiktrend {
namespace {

bool is_cancellation(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const system_error& x) {
        return is_cancelled(x.code());
    } catch (...) {
        return false;
    }
}

} // namespace

task_group::task_group(asio::any_io_executor executor, error_handler on_error)
    : executor_{executor}, on_error_{std::move(on_error)}, idle_{executor} {
    idle_.set();
}

task_group::~task_group() {
    assert(tasks_.empty() && "join the group before its owner goes");
}

asio::cancellation_signal& task_group::spawn(std::string_view name, task<void> t) {
    idle_.reset();
    const auto self = tasks_.emplace(tasks_.end());
    self->name = name;
    auto finished = [this, self](std::exception_ptr e) {
        if (e && !is_cancellation(e)) {
            if (!on_error_) {
                std::fprintf(stderr, "task %s: %s\n", self->name.c_str(), message_of(e).c_str());
                std::terminate();
            }
            on_error_(self->name, e);
        }
        tasks_.erase(self);
        if (tasks_.empty()) idle_.set();
    };
    asio::co_spawn(executor_, std::move(t),
                   asio::bind_cancellation_slot(self->signal.slot(), std::move(finished)));
    return self->signal;
}

void task_group::cancel(asio::cancellation_type type) {
    // A handler that runs inside emit() may end its task, so take the next position first.
    for (auto it = tasks_.begin(); it != tasks_.end();)
        (it++)->signal.emit(type);
}

task<void> task_group::join() {
    while (!tasks_.empty())
        co_await idle_.wait();
}

task<bool> task_group::join_until(std::chrono::steady_clock::time_point deadline) {
    while (!tasks_.empty())
        if (!co_await idle_.wait_until(deadline)) co_return tasks_.empty();
    co_return true;
}

std::vector<std::string> task_group::names() const {
    std::vector<std::string> out;
    for (const auto& t : tasks_)
        out.push_back(t.name);
    return out;
}

} // namespace tiktrend
