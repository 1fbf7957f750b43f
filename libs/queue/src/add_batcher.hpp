#pragma once
#include "options_check.hpp"
#include "stored_options.hpp"

#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/unique_function.hpp>
#include <tiktrend/queue/error.hpp>
#include <tiktrend/queue/job_options.hpp>
#include <tiktrend/redis/client.hpp>

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tiktrend::queue {

/// Group commit of adds. Jobs handed in during one turn of the event loop leave in one script, together with
/// what gathered while earlier batches were on their way; nothing waits for a timer. Jobs are added in the
/// order in which they were handed in.
///
/// A batch on its way keeps the batcher alive, so its owner may go first; the client must live until its
/// stop() has ended.
class add_batcher : public std::enable_shared_from_this<add_batcher> {
public:
    struct options {
        std::string key_base;
        job_options defaults;
        std::size_t max_batch = 500;
        const wall_clock* clock = nullptr;
        bool emits_debounced = false;               ///< version 5's event beside `deduplicated`
        std::function<std::string()> trace_context; ///< `tm` of jobs that bring none
    };
    add_batcher(redis::client& client, options o);

    /// What is made of a job's options: the words for the script. Jobs of one kind have the same options, so
    /// these are made once and shared.
    struct option_words {
        job_options source;
        std::string opts, delay, priority, side;
    };
    /// A job that was accepted.
    struct prepared_job {
        std::string id, name, data; ///< id: the custom one
        std::int64_t timestamp_ms = 0;
        std::shared_ptr<const option_words> options;
    };
    /// Fills in the defaults and checks everything; queue::errc for what is refused, errc::overloaded when
    /// too much waits. `why` gets what is refused about the job itself.
    /// `ahead`: prepared jobs of the caller that are not handed in yet.
    result<prepared_job> prepare(new_job&& job, std::optional<options_problem>* why = nullptr,
                                 std::size_t ahead = 0);
    /// What prepare() would refuse about the job itself.
    std::optional<options_problem> refusal_of(new_job job);

    /// Called once, from the executor, never from inside enqueue(): with the id, or with what went wrong.
    using handler = unique_function<void(std::exception_ptr, std::string)>;
    /// `more_follow`: other jobs are handed in at once, and all of them may wait for the last.
    void enqueue(prepared_job job, handler done, bool more_follow = false);

private:
    struct waiting_job {
        prepared_job prepared;
        handler done;
    };
    using batch = std::vector<waiting_job>;

    /// Of a job with its defaults.
    std::optional<options_problem> find_problem(const new_job& job);
    std::shared_ptr<const option_words> words_of(job_options&& options);
    void schedule();
    void send();
    std::size_t next_batch_size() const noexcept;
    static task<redis::reply> run(std::shared_ptr<add_batcher> self, const batch& jobs);
    void finished(batch jobs, std::exception_ptr error, const redis::reply& replies);

    static constexpr std::size_t max_waiting = 200'000;       ///< errc::overloaded above
    static constexpr std::size_t max_batch_bytes = 16U << 20; ///< of one batch, unless a single job has more
    static constexpr std::size_t max_in_flight = 3;           ///< batches on their way at once
    static constexpr std::size_t worth_sending =
        16;                                 ///< jobs that make a further batch of them worth its call
    static constexpr std::size_t full = 32; ///< jobs that do not wait for others of their turn

    redis::client& client_;
    options options_;
    json_checker json_;
    std::shared_ptr<const option_words>
        last_; ///< of a job without anything of its own; null before the first
    std::deque<waiting_job> waiting_;
    std::size_t in_flight_ = 0;
    bool scheduled_ = false;
};

} // namespace tiktrend::queue
