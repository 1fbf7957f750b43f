#pragma once
#include "connection.hpp"

#include <tiktrend/base/unique_function.hpp>

#include <deque>
#include <memory>

namespace tiktrend::redis {

/// One connection shared by many commands: what is submitted in one turn of the event loop leaves in one
/// write, or at once when it is much, so that the server works while this thread goes on; replies go to the
/// completions in order. Ends with its connection. Kept alive by its own write in flight.
class pipeline : public std::enable_shared_from_this<pipeline> {
public:
    /// Called once, from the executor, never inside submit(): with a reply, or with an error and an empty
    /// reply.
    using completion = unique_function<void(std::exception_ptr, reply)>;

    explicit pipeline(std::unique_ptr<connection> c) : connection_{std::move(c)} {}

    /// False once the connection is closed, or the server said that it is not ready and only old replies are
    /// awaited.
    bool accepts() const noexcept { return !closed_ && !condemned_; }
    std::size_t waiting() const noexcept { return waiting_.size(); }
    std::size_t unsent_bytes() const noexcept { return out_.size(); }

    /// Append exactly one encoded command here, then call submit().
    std::string& out() noexcept { return out_; }
    void submit(completion done);
    /// Names the next submit() for abandon().
    std::uint64_t next_ticket() const noexcept { return first_ticket_ + waiting_.size(); }
    /// The reply of `ticket` goes nowhere when it comes; its completion gets operation_aborted soon. No
    /// effect if it is done.
    void abandon(std::uint64_t ticket);

    /// Reads until the connection ends. Returns why it ended.
    task<error_code> run();
    /// After run(): completes what still waits.
    void complete_all();
    /// Ends run() soon; what waits will get `why`.
    void close(error_code why) noexcept;

    /// When bytes came last, or the first of the waiting commands was submitted.
    std::chrono::steady_clock::time_point last_progress() const noexcept { return last_progress_; }

private:
    static constexpr std::size_t worth_a_write = 4096; ///< bytes that wait for nothing more

    void schedule_flush();
    void flush();
    void take_replies();

    std::unique_ptr<connection> connection_;
    std::string out_;     ///< encoded, not given to the socket yet
    std::string sending_; ///< of the write in flight
    std::deque<completion> waiting_;
    std::uint64_t first_ticket_ = 0; ///< of waiting_.front()
    std::size_t unsent_ = 0;         ///< of the youngest in waiting_, how many are still in out_
    std::chrono::steady_clock::time_point last_progress_;
    error_code why_;
    bool flush_scheduled_ = false;
    bool writing_ = false;
    bool closed_ = false;
    bool condemned_ = false;
};

} // namespace tiktrend::redis
