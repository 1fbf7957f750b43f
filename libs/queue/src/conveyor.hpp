#pragma once
#include "keys.hpp"
#include "running_job.hpp"

#include <tiktrend/base/event.hpp>

#include <deque>

namespace tiktrend::queue {

/// ARGV[8] of finish_and_fetch.lua.
std::string metrics_and_group_limits(const worker_options& options);

/// Carries ended jobs to Redis and new ones back, together: what ends while a call is on its way goes with
/// the next. A second call is sent behind it only when it is worth one, so that Redis works on one half of
/// the jobs while the other half runs here. Survives lost connections: a call whose reply was lost is looked
/// into before anything of it is sent again.
///
/// Owned by a worker; run() and run_second() are its loops.
class conveyor {
public:
    struct hooks {
        /// A job was taken. Runs it, or settles it at once.
        std::function<void(running_job&)> start;
        /// Redis has confirmed (code 0) or refused (a script code) how the job ended. True: the job is
        /// forgotten; false: it has got another outcome, which is sent.
        std::function<bool(running_job&, std::int64_t code)> settled;
    };
    conveyor(asio::any_io_executor executor, const worker_options& options, const queue_keys& keys,
             job_connection& connection, running_jobs& jobs, hooks h);

    task<void> run() { return send_calls(work_); }
    /// Sends the calls behind those of run().
    task<void> run_second() { return send_calls(more_work_); }

    /// The job has ended as its `outcome` says.
    void settle(running_job& job);
    /// The job is gone without a word to Redis: its lock was lost, or it has left already (code 0).
    void drop(running_job& job, std::int64_t code);

    void stop_fetching();
    /// Until pause(false).
    void pause(bool is_paused);
    bool is_paused() const noexcept { return is_paused_; }
    /// A job that comes now is wanted.
    bool may_take() const noexcept { return is_fetching_ && !is_paused_; }
    void set_concurrency(std::size_t n);
    std::size_t running() const noexcept { return running_; }
    /// Fetches nothing for so long.
    void limit_for(std::chrono::milliseconds duration);

    /// A call as it was sent.
    struct call {
        std::string token;
        std::int64_t now_ms = 0;
        std::size_t wanted = 0;
        std::vector<running_job*> ended;
        bool is_open = true;   ///< what became of it is not known yet
        bool is_woken = false; ///< sent behind the wait on the marker
    };

    // For the one that waits on the marker while there is nothing to take:
    /// Set whenever may_idle() could have changed.
    event& changed() noexcept { return idle_changed_; }
    bool is_fetching() const noexcept { return is_fetching_; }
    /// A call that takes jobs is on its way, or was lost and is not looked into yet.
    bool is_asking() const noexcept { return asked_ > 0; }
    /// Waits for the end of that, at most until `deadline`.
    task<void> wait_answered(std::chrono::steady_clock::time_point deadline);
    /// There was nothing to take, and there is a slot: somebody should wait for work. Reserves one slot until
    /// end_idle().
    bool begin_idle() noexcept;
    /// There may be something to take now.
    void end_idle();
    /// After begin_idle(): a call for one job, which runs when the wait on the marker ends
    /// (fetch_when_woken.lua). The slot is its own until one of the next three is called with it.
    call begin_woken_call();
    void woken(call c, const redis::reply& reply);
    void woken_in_vain(call c); ///< it certainly has not run
    void woken_unclear(call c); ///< its reply was lost: it is looked into
    std::int64_t next_delayed_ms() const noexcept { return next_delayed_ms_; }
    std::chrono::steady_clock::time_point limited_until() const noexcept { return limited_until_; }

private:
    using settled_jobs = std::vector<running_job*>;

    task<void> send_calls(event& my_work);
    std::size_t wanted() const noexcept;
    std::size_t most_per_call() const noexcept;
    bool has_work() const noexcept;
    call next_call();
    void answered(call& c);
    task<redis::reply> send(const call& c);
    task<bool> try_call(call& c);
    task<bool> try_recover(call& c);
    task<redis::reply> ask_what_became_of(const call& c);
    void report_failures(const call& c, const redis::reply::view& failures) const;
    void accept(call& c, const redis::reply& reply);
    void take(const redis::reply::view& fields, const call& c, bool is_counted);
    void report(running_job& job, std::int64_t code);
    void put_back(const settled_jobs& ended);
    void wake() noexcept;
    void wake_loops() noexcept;

    const worker_options& options_;
    const queue_keys& keys_;
    job_connection& connection_;
    running_jobs& jobs_;
    hooks hooks_;
    options_reader reader_;

    std::string worker_id_;
    std::string metrics_and_group_limits_;
    std::uint64_t calls_ = 0;
    std::size_t concurrency_;
    std::size_t running_ = 0;        ///< jobs whose processor has not ended
    std::size_t calls_open_ = 0;     ///< on their way, or lost and not looked into yet
    std::size_t asked_ = 0;          ///< jobs that these want
    std::deque<running_job*> ended_; ///< waiting for the next call
    std::vector<call> unclear_;      ///< woken calls to look into
    std::int64_t latest_ms_ = 0;     ///< of a woken call, whose clock may be ahead by a ms or two
    bool is_fetching_ = true;
    bool is_paused_ = false;
    bool is_drained_ = false; ///< the last fetch found less than it wanted
    bool is_idling_ = false;
    bool is_failing_ = false; ///< said so in the log already
    std::int64_t next_delayed_ms_ = 0;
    std::chrono::steady_clock::time_point limited_until_{};
    event work_;      ///< for run(), which begins when no call is on its way
    event more_work_; ///< for run_second()
    event idle_changed_;
    event answered_;
};

} // namespace tiktrend::queue
