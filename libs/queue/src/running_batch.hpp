#pragma once
#include "running_job.hpp"

#include <tiktrend/base/event.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <algorithm>
#include <stdexcept>

namespace tiktrend::queue {

/// The jobs of one call of a batch_processor, and what it says about each of them.
class running_batch final : public active_batch, public stop_listener {
public:
    /// `changed` is set when a job of this batch is asked to stop; stop_if_asked() is due then.
    explicit running_batch(event& changed) : changed_{changed} {}

    void add(running_job& job) {
        members_.push_back(&job);
        jobs_.push_back(&job);
        said_.emplace_back();
    }
    const std::vector<running_job*>& members() const noexcept { return members_; }

    std::span<active_job* const> jobs() const noexcept override { return jobs_; }
    void set_as_failed(active_job& job, std::exception_ptr error) override {
        said_of(job) = {std::move(error), {}, false};
    }
    void set_value(active_job& job, std::string json) override {
        said_of(job) = {nullptr, std::move(json), true};
    }
    bool should_stop() const noexcept override {
        return std::all_of(members_.begin(), members_.end(),
                           [](const running_job* j) { return j->should_stop(); });
    }
    void job_asked_to_stop() noexcept override { changed_.set(); }

    /// The processor waits for the first time; `signal` cancels it.
    void started(asio::cancellation_signal& signal) noexcept {
        signal_ = &signal;
        changed_.set();
    }
    void stop_if_asked() {
        if (signal_ && !is_told_ && should_stop()) {
            is_told_ = true;
            signal_->emit(asio::cancellation_type::terminal);
        }
    }
    /// The processor has ended. False: before it ever waited.
    bool ended() noexcept {
        has_ended_ = true;
        return std::exchange(signal_, nullptr) != nullptr;
    }
    bool has_ended() const noexcept { return has_ended_; }

    /// The value or the error of one job, where `value` and `error` are those of the whole.
    std::pair<std::string, std::exception_ptr> verdict(std::size_t i, const std::string& value,
                                                       const std::exception_ptr& error) {
        auto& own = said_[i];
        if (own.has_value) return {std::move(own.value), nullptr};
        if (own.error) return {{}, own.error};
        return {error ? std::string{} : value, error};
    }

private:
    struct word {
        std::exception_ptr error;
        std::string value;
        bool has_value = false;
    };
    word& said_of(const active_job& job) {
        for (std::size_t i = 0; i < jobs_.size(); ++i)
            if (jobs_[i] == &job) return said_[i];
        throw std::invalid_argument("job " + job.id() + " is not of this batch");
    }

    event& changed_;
    std::vector<running_job*> members_;
    std::vector<active_job*> jobs_;
    std::vector<word> said_;
    asio::cancellation_signal* signal_ = nullptr; ///< valid while the processor runs
    bool is_told_ = false;
    bool has_ended_ = false;
};

} // namespace tiktrend::queue
