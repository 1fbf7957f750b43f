#include "worker_fixture.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace tiktrend::testing {

void worker_fixture::run(queue::worker_options options, queue::processor processor,
                         std::function<task<void>(worker_fixture&)> work, std::chrono::milliseconds limit) {
    seen_.clear();
    run_coroutine(body(options, processor, work), limit);
}

void worker_fixture::run_batches(queue::worker_options options, queue::batch_processor processor,
                                 std::function<task<void>(worker_fixture&)> work,
                                 std::chrono::milliseconds limit) {
    seen_.clear();
    run_coroutine(body(options, processor, work), limit);
}

template <class Processor>
task<void> worker_fixture::body(queue::worker_options& options, Processor& processor,
                                std::function<task<void>(worker_fixture&)>& work) {
    const auto executor = co_await asio::this_coro::executor;
    redis::client_options client_options;
    client_options.wait_for_connection = true;
    client_.emplace(executor, address(), client_options);
    client_->start();
    queue_.emplace(*client_, name());
    reported_.emplace(executor);
    auto user_hook = options.on_outcome;
    options.on_outcome = [this, user_hook](const queue::worker_options::outcome& o) {
        seen_.push_back({o.job.id, o.what, std::string{o.reason}});
        reported_->notify_all();
        if (user_hook) user_hook(o);
    };
    worker_.emplace(executor, address(), name(), processor, options);
    worker_->start();
    std::exception_ptr error;
    try {
        co_await work(*this);
    } catch (...) {
        error = std::current_exception();
    }
    co_await stop_worker();
    worker_.reset();
    queue_.reset();
    co_await client_->stop();
    client_.reset();
    reported_.reset();
    if (error) std::rethrow_exception(error);
}

task<std::size_t> worker_fixture::stop_worker(std::chrono::milliseconds finish_in,
                                              std::chrono::milliseconds close_in) {
    const auto now = std::chrono::steady_clock::now();
    co_return co_await worker_->stop(now + finish_in, now + close_in);
}

task<void> worker_fixture::outcomes(std::size_t n) {
    const auto deadline = std::chrono::steady_clock::now() + 15s;
    while (seen_.size() < n)
        if (!co_await reported_->wait_until(deadline))
            throw std::runtime_error("only " + std::to_string(seen_.size()) + " of " + std::to_string(n) +
                                     " outcomes");
}

std::size_t worker_fixture::count(queue::worker_options::outcome::kind what) const {
    return static_cast<std::size_t>(
        std::count_if(seen_.begin(), seen_.end(), [&](const outcome& o) { return o.what == what; }));
}

task<void> worker_fixture::until(std::function<bool()> done) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("what was waited for did not happen");
        co_await sleep_for(2ms);
    }
}

task<void> worker_fixture::until_at_rest() {
    return until([this] {
        std::istringstream clients{redis({"CLIENT", "LIST", "TYPE", "normal"})};
        for (std::string line; std::getline(clients, line);) {
            const auto flags = line.find(" flags=");
            const bool is_blocked =
                flags != std::string::npos && line.find('b', flags + 7) < line.find(' ', flags + 7);
            if (is_blocked && line.find(" cmd=bzpopmin ") != std::string::npos) return true;
        }
        return false;
    });
}

std::size_t worker_fixture::rests() const {
    const auto stats = redis({"INFO", "commandstats"});
    const std::string field = "cmdstat_bzpopmin:calls=";
    const auto at = stats.find(field);
    return at == std::string::npos ? 0 : std::stoul(stats.substr(at + field.size()));
}

} // namespace tiktrend::testing
