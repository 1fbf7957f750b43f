#include "batch_gatherer.hpp"

#include <algorithm>

namespace tiktrend::queue {

batch_gatherer::batch_gatherer(asio::any_io_executor executor, const worker_options& options,
                               batch_processor run, conveyor& carrier, job_ends& ends)
    : options_{options}, run_{std::move(run)}, carrier_{carrier}, ends_{ends},
      size_{std::max<std::size_t>(options.batch.size, 1)},
      min_size_{std::clamp<std::size_t>(options.batch.min_size, 1, size_)},
      concurrency_{std::max<std::size_t>(options.concurrency, 1)}, changed_{executor}, batches_{executor} {
    update_room();
}

void batch_gatherer::add(running_job& job) {
    if (gathered_.empty()) first_at_ = std::chrono::steady_clock::now();
    job.set_gathered(true);
    gathered_.push_back(&job);
    changed_.set();
}

void batch_gatherer::set_concurrency(std::size_t n) {
    concurrency_ = std::max<std::size_t>(n, 1);
    update_room();
    changed_.set();
}

void batch_gatherer::update_room() {
    std::size_t held = 0;
    for (const auto& b : running_)
        held += b.jobs().size();
    const auto free = concurrency_ - std::min(concurrency_, running_.size());
    carrier_.set_concurrency(held + free * size_);
}

bool batch_gatherer::is_complete(std::chrono::steady_clock::time_point now) const noexcept {
    if (gathered_.empty()) return false;
    const auto timeout = options_.batch.timeout;
    return gathered_.size() >= min_size_ || (timeout.count() > 0 && now >= first_at_ + timeout);
}

task<void> batch_gatherer::run() {
    for (;;) {
        changed_.reset();
        sift();
        stop_batches();
        while (running_.size() < concurrency_ && is_complete(std::chrono::steady_clock::now()))
            start_batch();
        const auto timeout = options_.batch.timeout;
        // Woken by every job that comes, and after the jobs of one reply, since all of them come in one turn.
        if (gathered_.empty() || timeout.count() <= 0 || running_.size() >= concurrency_)
            co_await changed_.wait();
        else
            co_await changed_.wait_until(first_at_ + timeout);
    }
}

void batch_gatherer::sift() {
    std::erase_if(gathered_, [this](running_job* job) {
        if (!job->should_stop()) return false;
        job->set_gathered(false);
        ends_.end(*job, {}, std::make_exception_ptr(system_error{asio::error::operation_aborted}));
        return true;
    });
}

void batch_gatherer::release_gathered() {
    for (auto* job : std::exchange(gathered_, {})) {
        job->set_gathered(false);
        ends_.release(*job);
    }
}

void batch_gatherer::start_batch() {
    const auto batch = running_.emplace(running_.end(), changed_);
    const auto count = static_cast<std::ptrdiff_t>(std::min(gathered_.size(), size_));
    for (auto i = gathered_.begin(); i != gathered_.begin() + count; ++i) {
        batch->add(**i);
        (*i)->set_gathered(false);
        (*i)->begin_processing();
        (*i)->set_listener(&*batch);
        if (options_.on_active) options_.on_active((*i)->record());
    }
    gathered_.erase(gathered_.begin(), gathered_.begin() + count);
    first_at_ = std::chrono::steady_clock::now(); // the rest waits anew
    update_room();
    auto& signal = batches_.spawn("batch", process(batch));
    // A processor that never waits has ended inside spawn(); the entry of such a batch goes here.
    if (batch->has_ended()) {
        running_.erase(batch);
        update_room();
        return;
    }
    batch->started(signal);
}

void batch_gatherer::stop_batches() {
    for (auto b = running_.begin(); b != running_.end();)
        (b++)->stop_if_asked(); // may end in here
}

task<void> batch_gatherer::process(std::list<running_batch>::iterator batch) {
    std::string value;
    std::exception_ptr error;
    try {
        value = co_await run_(*batch);
    } catch (...) {
        error = std::current_exception();
    }
    const bool was_started = batch->ended();
    for (std::size_t i = 0; i < batch->members().size(); ++i) {
        auto [own_value, own_error] = batch->verdict(i, value, error);
        ends_.end(*batch->members()[i], std::move(own_value), std::move(own_error));
    }
    if (was_started) {
        running_.erase(batch);
        update_room();
    }
    changed_.set();
}

} // namespace tiktrend::queue
