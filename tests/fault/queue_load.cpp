#include "queue_load.hpp"

#include <tiktrend/testing/redis_server.hpp>

#include <algorithm>
#include <stdexcept>

namespace tiktrend::testing {

using namespace std::chrono_literals;

namespace {

queue::worker_options worker_options_for(queue_load& load, std::set<std::string>& completed) {
    static_cast<void>(load);
    queue::worker_options o;
    o.concurrency = 8;
    o.drain_delay = 200ms;
    o.lock_duration = 2s;
    o.stalled_interval = 500ms;
    o.max_stalled_count = 100;
    o.on_outcome = [&completed](const queue::worker_options::outcome& done) {
        if (done.what == queue::worker_options::outcome::completed) completed.insert(done.job.id);
    };
    return o;
}

} // namespace

queue_load::queue_load(asio::any_io_executor executor, const redis::address& where, std::string queue_name)
    : client_{executor, where}, queue_{client_, queue_name},
      worker_{executor, where, queue_name, [this](queue::active_job& job) { return process(job); },
              worker_options_for(*this, completed_)},
      tasks_{executor} {}

void queue_load::start() {
    client_.start();
    worker_.start();
    tasks_.spawn("producer", add_all_the_time());
}

task<std::string> queue_load::process(queue::active_job& job) {
    ++runs_[job.id()];
    co_await sleep_for(1ms);
    co_return std::string{};
}

task<void> queue_load::add_all_the_time() {
    while (is_adding_) {
        try {
            auto id = co_await queue_.add({"job", "{}"});
            acknowledged_.push_back({std::move(id), clock::now()});
        } catch (const system_error&) {
            ++failed_adds_;
        }
        co_await sleep_for(1ms);
    }
}

task<void> queue_load::stop() {
    is_adding_ = false;
    co_await tasks_.join();
    const auto now = clock::now();
    co_await worker_.stop(now + 5s, now + 10s);
    co_await client_.stop();
}

queue_load::clock::duration queue_load::longest_outage() const {
    clock::duration longest{};
    for (std::size_t i = 1; i < acknowledged_.size(); ++i)
        longest = std::max(longest, acknowledged_[i].at - acknowledged_[i - 1].at);
    return longest;
}

queue_load::losses queue_load::look_at(const redis_server& master, clock::time_point killed_at,
                                       std::size_t before) const {
    losses out;
    std::set<std::string> ids; // a server that has lost a job gives its id to another one
    for (std::size_t i = acknowledged_.size(); i-- > 0;) {
        const auto& job = acknowledged_[i];
        if (!ids.insert(job.id).second || master.command({"EXISTS", queue_.key_base() + job.id}) == "0") {
            ++out.gone;
            if (i >= before || job.at < killed_at - 1s) ++out.gone_long_ago;
        } else if (master.command({"ZSCORE", queue_.key_base() + "completed", job.id}) == "(nil)") {
            ++out.not_completed;
        }
    }
    return out;
}

task<void> queue_load::until(std::string what, std::function<bool()> done) {
    const auto deadline = clock::now() + 40s;
    while (!done()) {
        if (clock::now() > deadline) throw std::runtime_error("did not happen: " + what);
        co_await sleep_for(5ms);
    }
}

} // namespace tiktrend::testing
