#include "conveyor.hpp"

#include "call_words.hpp"
#include "record.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

#include <tiktrend/base/ids.hpp>
#include <tiktrend/base/timeout.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>

namespace tiktrend::queue {
namespace {

constexpr std::size_t max_per_call = 1000; ///< what one script moves; more goes in the next
constexpr std::size_t worth_halving =
    32; ///< slots, below which all jobs travel in one call: halves would cost Redis more
constexpr std::size_t worth_another = 8; ///< jobs at least in a call behind one that is on its way
constexpr std::chrono::milliseconds pause_after_failure{200};
constexpr std::int64_t most_ahead_ms = 10;

} // namespace

std::string metrics_and_group_limits(const worker_options& o) {
    auto out = std::to_string(o.metrics_max_data_points);
    if (o.group.concurrency > 0 || o.group.limit_max > 0)
        out += ' ' + std::to_string(o.group.concurrency) + ' ' + std::to_string(o.group.limit_max) + ' ' +
               std::to_string(o.group.limit_duration.count());
    return out;
}

conveyor::conveyor(asio::any_io_executor executor, const worker_options& options, const queue_keys& keys,
                   job_connection& connection, running_jobs& jobs, hooks h)
    : options_{options}, keys_{keys}, connection_{connection}, jobs_{jobs}, hooks_{std::move(h)},
      worker_id_{uuid_v4()}, metrics_and_group_limits_{metrics_and_group_limits(options)},
      concurrency_{std::max<std::size_t>(options.concurrency, 1)}, work_{executor}, more_work_{executor},
      idle_changed_{executor}, answered_{executor} {}

void conveyor::wake() noexcept {
    wake_loops();
    idle_changed_.set();
}

void conveyor::wake_loops() noexcept {
    if (!has_work()) return;
    work_.set();
    if (calls_open_ > 0) more_work_.set();
}

void conveyor::settle(running_job& job) {
    --running_;
    ended_.push_back(&job);
    wake();
}

void conveyor::drop(running_job& job, std::int64_t code) {
    --running_;
    report(job, code);
    wake();
}

void conveyor::pause(bool is_paused) {
    is_paused_ = is_paused;
    is_drained_ = false;
    wake();
}

void conveyor::limit_for(std::chrono::milliseconds duration) {
    limited_until_ = std::chrono::steady_clock::now() + std::min(duration, options_.maximum_rate_limit_delay);
    idle_changed_.set();
}

void conveyor::stop_fetching() {
    is_fetching_ = false;
    wake();
}

void conveyor::set_concurrency(std::size_t n) {
    concurrency_ = std::max<std::size_t>(n, 1);
    wake();
}

std::size_t conveyor::wanted() const noexcept {
    const auto taken = running_ + asked_ + (is_idling_ ? 1 : 0);
    if (!may_take() || taken >= concurrency_ || std::chrono::steady_clock::now() < limited_until_) return 0;
    return std::min(concurrency_ - taken, most_per_call());
}

std::size_t conveyor::most_per_call() const noexcept {
    return std::min(concurrency_ < worth_halving ? concurrency_ : (concurrency_ + 1) / 2, max_per_call);
}

bool conveyor::has_work() const noexcept {
    if (!unclear_.empty()) return true;
    if (calls_open_ == 0) return !ended_.empty() || (!is_drained_ && wanted() > 0);
    const auto least = std::max(most_per_call() / 2, worth_another);
    return ended_.size() >= least || (!is_drained_ && ended_.empty() && wanted() >= least);
}

bool conveyor::begin_idle() noexcept {
    const bool is_limited = std::chrono::steady_clock::now() < limited_until_;
    is_idling_ = may_take() && (is_drained_ || is_limited) && running_ + asked_ < concurrency_;
    return is_idling_;
}

void conveyor::end_idle() {
    if (!std::exchange(is_idling_, false)) return; // the woken call has said what there is
    is_drained_ = false;
    next_delayed_ms_ = 0;
    wake_loops();
}

conveyor::call conveyor::next_call() {
    call c;
    c.now_ms = options_.clock->now_ms();
    // Nothing ends before it has begun.
    if (latest_ms_ > c.now_ms && latest_ms_ < c.now_ms + most_ahead_ms) c.now_ms = latest_ms_;
    c.wanted = wanted();
    if (c.wanted > 0) c.token = worker_id_ + ":" + std::to_string(++calls_);
    const auto count = static_cast<std::ptrdiff_t>(std::min(ended_.size(), most_per_call()));
    c.ended.assign(ended_.begin(), ended_.begin() + count);
    ended_.erase(ended_.begin(), ended_.begin() + count);
    ++calls_open_;
    asked_ += c.wanted;
    wake_loops(); // there may be enough for another
    return c;
}

/// What became of the call is known.
void conveyor::answered(call& c) {
    c.is_open = false;
    if (!c.is_woken) --calls_open_;
    asked_ -= c.wanted;
    if (asked_ == 0) answered_.notify_all();
    wake_loops();
}

task<void> conveyor::wait_answered(std::chrono::steady_clock::time_point deadline) {
    while (asked_ > 0)
        if (!co_await answered_.wait_until(deadline)) co_return;
}

task<void> conveyor::send_calls(event& my_work) {
    const auto executor = co_await asio::this_coro::executor;
    std::optional<call> unclear; // sent, but its reply was lost
    for (;;) {
        while (!unclear && !has_work()) {
            my_work.reset();
            co_await my_work.wait();
        }
        // Jobs that are about to end in this turn travel along.
        co_await asio::post(executor, asio::use_awaitable);
        if (!unclear && !has_work()) continue;
        if (!unclear && !unclear_.empty()) {
            unclear = std::move(unclear_.back());
            unclear_.pop_back();
        }
        bool is_through;
        if (unclear) {
            is_through = co_await try_recover(*unclear);
            if (is_through) unclear.reset();
        } else {
            auto c = next_call();
            is_through = co_await try_call(c);
            if (!is_through && c.is_open) unclear = std::move(c);
        }
        if (!is_through) co_await sleep_for(pause_after_failure);
    }
}

conveyor::call conveyor::begin_woken_call() {
    call c;
    c.is_woken = true;
    c.wanted = 1;
    c.token = worker_id_ + ":" + std::to_string(++calls_);
    is_idling_ = false; // the slot is the call's now
    asked_ += c.wanted;
    return c;
}

void conveyor::woken(call c, const redis::reply& reply) {
    c.now_ms = latest_ms_ = reply[4].integer();
    accept(c, reply);
    wake_loops();
}

void conveyor::woken_in_vain(call c) {
    is_drained_ = false;
    answered(c);
}

void conveyor::woken_unclear(call c) {
    c.now_ms = options_.clock->now_ms();
    is_drained_ = false;
    unclear_.push_back(std::move(c));
    wake_loops();
}

task<redis::reply> conveyor::send(const call& c) {
    word_list words{8 + c.ended.size() * 10};
    words.add(c.now_ms);
    words.add(c.token);
    words.add(options_.lock_duration.count());
    words.add(static_cast<std::int64_t>(c.wanted));
    words.add(options_.name);
    words.add(options_.limiter_max);
    words.add(options_.limiter_duration.count());
    words.add(metrics_and_group_limits_);
    const running_job* before = nullptr;
    for (const auto* job : c.ended) {
        if (before && ends_alike(*job, *before)) {
            words.add("=");
            words.add(job->id());
            words.add(job->outcome.value);
        } else {
            add_settlement(words, *job);
        }
        before = job;
    }
    co_return co_await run_script_views(connection_.client, scripts::all().finish_and_fetch, keys_.base(),
                                        words.words());
}

/// False: not known to have run. `c` is open still unless it certainly did not run.
task<bool> conveyor::try_call(call& c) {
    redis::reply reply;
    bool certainly_not_run = false;
    try {
        reply = co_await send(c);
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        if (!std::exchange(is_failing_, true))
            options_.log.warn("queue_call_failed",
                              {{"queue", keys_.base()}, {"error", e.what()}, {"ended_jobs", c.ended.size()}});
        certainly_not_run = redis::is_certainly_not_executed(e.code());
        if (!certainly_not_run) co_return false;
    } catch (const std::runtime_error& e) {
        if (!std::exchange(is_failing_, true))
            options_.log.error("queue_script_failed", {{"queue", keys_.base()}, {"error", e.what()}});
        co_return false;
    }
    if (certainly_not_run) {
        put_back(c.ended);
        answered(c);
        co_return false;
    }
    if (std::exchange(is_failing_, false))
        options_.log.info("queue_call_works_again", {{"queue", keys_.base()}});
    if (reply.size() > 4) report_failures(c, reply[4]);
    accept(c, reply);
    co_return true;
}

void conveyor::accept(call& c, const redis::reply& reply) {
    answered(c);
    const auto refused = reply[0];
    const auto jobs = reply[1];
    // First what ended, since its slots are free; the refused are in ascending order.
    std::size_t next_refused = 0;
    for (std::size_t i = 0; i < c.ended.size(); ++i) {
        std::int64_t code = 0;
        if (next_refused < refused.size() &&
            refused[next_refused].integer() == static_cast<std::int64_t>(i) + 1) {
            code = refused[next_refused + 1].integer();
            next_refused += 2;
        }
        report(*c.ended[i], code);
    }
    for (std::size_t i = 0; i < jobs.size(); ++i)
        take(jobs[i], c, false);
    if (c.wanted > 0) {
        is_drained_ = jobs.size() < c.wanted;
        next_delayed_ms_ = reply[3].integer();
    }
    if (const auto limited = reply[2].integer(); limited > 0) limit_for(std::chrono::milliseconds{limited});
    idle_changed_.set();
}

void conveyor::take(const redis::reply::view& fields, const call& c, bool is_counted) {
    if (fields.size() == 0) return;
    const auto last = fields.size() - 1;
    auto record = read_record(fields[last].text(), fields, last, reader_, connection_.json);
    if (!is_counted) { // the hash is from before the fetch
        record.attempts_started += 1;
        record.processed_on_ms = c.now_ms;
        record.processed_by = options_.name;
    }
    const auto& options = reader_.read(record.opts);
    auto& job = jobs_.add(std::move(record), options, c.token, connection_);
    ++running_;
    hooks_.start(job);
}

/// What the jobs' ends meant to others could not be done. Before the jobs are reported, which may forget
/// them.
void conveyor::report_failures(const call& c, const redis::reply::view& failures) const {
    for (std::size_t i = 0; i + 1 < failures.size(); i += 2) {
        const auto position = static_cast<std::size_t>(failures[i].integer());
        options_.log.error("job_end_incomplete",
                           {{"queue", keys_.base()},
                            {"job_id", position > 0 ? c.ended.at(position - 1)->id() : ""},
                            {"error", failures[i + 1].text()}});
    }
}

void conveyor::put_back(const settled_jobs& ended) {
    ended_.insert(ended_.begin(), ended.begin(), ended.end());
}

void conveyor::report(running_job& job, std::int64_t code) {
    if (hooks_.settled(job, code))
        jobs_.erase(job);
    else
        ended_.push_back(&job);
}

} // namespace tiktrend::queue
