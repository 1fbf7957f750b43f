#pragma once
#include "settlement.hpp"

#include <tiktrend/queue/worker.hpp>
#include <tiktrend/redis/client.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <memory>
#include <vector>

namespace tiktrend::queue {

/// What the running jobs of a worker share. Lives as long as the worker.
struct job_connection {
    redis::client& client;
    const std::string& key_base;
    json_checker& json;
    const wall_clock& clock;
};

/// Told when one of several jobs that are run together is asked to stop.
class stop_listener {
public:
    virtual void job_asked_to_stop() noexcept = 0;

protected:
    ~stop_listener() = default;
};

/// A job that this worker holds: from the fetch until Redis has confirmed how it ended.
class running_job final : public active_job {
public:
    running_job(job_record record, stored_options options, std::string token,
                const job_connection& connection);

    task<void> update_progress(std::string json) override;
    task<void> update_data(std::string json) override;
    task<void> log(std::string row) override;
    task<child_results> children_values() override;
    task<child_results> ignored_children_failures() override;
    task<bool> move_to_waiting_children(std::string child) override;
    task<void> rate_limit(std::chrono::milliseconds duration) override;
    task<void> rate_limit_group(std::chrono::milliseconds duration) override;
    bool should_stop() const noexcept override { return cause_ != stop_cause::none; }
    std::stop_token stop_token() override;
    std::string_view stop_reason() const noexcept override { return stop_reason_; }

    const stored_options& options() const noexcept { return options_; }
    const std::string& token() const noexcept { return token_; }
    std::chrono::steady_clock::time_point started() const noexcept { return started_; }

    enum class stop_cause { none, worker_ends, cancelled, lock_lost };
    /// The first cause stays, but a lost lock outranks the others: then nothing of this run counts any more.
    void ask_to_stop(stop_cause cause, std::string reason);
    stop_cause cause() const noexcept { return cause_; }

    /// It waits for its children already, or is about to: nothing of it is renewed or sent any more.
    bool has_left() const noexcept { return has_left_; }
    /// The group that it belongs to; empty: none.
    std::string_view group() const noexcept;

    /// The processor runs from begin_processing() to end_processing(). It may end before `spawn` has returned
    /// the signal that cancels it, so the two are told apart.
    void begin_processing() noexcept { is_processing_ = true; }
    /// A job that was asked to stop meanwhile is cancelled now; one that has ended keeps no signal.
    void cancel_by(asio::cancellation_signal& signal);
    void end_processing() noexcept;
    bool is_processing() const noexcept { return is_processing_; }
    /// It waits here for others of its batch.
    void set_gathered(bool is_gathered) noexcept { is_gathered_ = is_gathered; }
    /// Runs, or is about to: asking it to stop makes sense.
    bool is_open() const noexcept { return is_processing_ || is_gathered_; }
    void set_listener(stop_listener* listener) noexcept { listener_ = listener; }
    settlement outcome; ///< valid once the processor has ended

private:
    friend class running_jobs;
    task<child_results> read_children(std::string key) const;
    stored_options options_;
    std::string token_;
    const job_connection& connection_;
    asio::cancellation_signal* signal_ = nullptr; ///< valid while the processor runs
    stop_listener* listener_ = nullptr;           ///< of the batch that it runs in
    std::optional<std::stop_source> stop_source_; ///< made when somebody asks for the token
    bool is_processing_ = false;
    bool is_gathered_ = false;
    bool has_left_ = false;
    std::string stop_reason_;
    stop_cause cause_ = stop_cause::none;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::size_t position_ = 0;
};

/// The jobs that a worker holds, in no order. Their addresses do not change.
class running_jobs {
public:
    running_job& add(job_record record, stored_options options, std::string token,
                     const job_connection& connection);
    void erase(running_job& job) noexcept;
    std::size_t size() const noexcept { return jobs_.size(); }
    bool empty() const noexcept { return jobs_.empty(); }

    /// `visit` may make the visited job end and be erased, but no other.
    template <class F>
    void for_each(F visit) {
        for (std::size_t i = jobs_.size(); i-- > 0;)
            visit(*jobs_[i]);
    }

private:
    std::vector<std::unique_ptr<running_job>> jobs_;
};

} // namespace tiktrend::queue
