#include "conveyor.hpp"
#include "idle_waiter.hpp"
#include "keys.hpp"
#include "lock_renewer.hpp"
#include "running_job.hpp"
#include "scheduler_step.hpp"
#include "script_call.hpp"
#include "stalled_checker.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/worker.hpp>

#include <algorithm>

namespace tiktrend::queue {
namespace {

constexpr std::chrono::milliseconds shortest_lock{100};

worker_options checked(worker_options o) {
    if (!o.random) o.random = std::make_shared<default_random>();
    o.lock_duration = std::max(o.lock_duration, shortest_lock);
    o.stalled_interval = std::max(o.stalled_interval, shortest_lock);
    if (o.name.find(' ') != std::string::npos)
        throw std::invalid_argument("a worker's name has no blanks: " + o.name);
    return o;
}

redis::client_options command_connection(const worker_options& options) {
    redis::client_options o;
    o.wait_for_connection = true;
    o.no_evict = true;
    o.log = options.log;
    return o;
}

} // namespace

struct worker::impl {
    impl(asio::any_io_executor ex, redis::address where, std::string queue_name, processor p,
         worker_options o)
        : executor{ex}, options{checked(std::move(o))}, keys{options.prefix, queue_name}, run{std::move(p)},
          client{ex, where, command_connection(options)}, connection{client, keys.base(), json},
          carrier{ex,
                  options,
                  keys,
                  connection,
                  jobs,
                  conveyor::hooks{[this](running_job& j) { begin(j); },
                                  [this](running_job& j, std::int64_t code) { return confirm(j, code); }}},
          waiter{ex, where, options, keys, carrier}, renewer{options, keys, connection, jobs},
          checker{options, keys, client}, idle{ex},
          loops{ex, [this](std::string_view name, std::exception_ptr e) { report_broken_loop(name, e); }},
          processors{ex} {
        idle.set();
    }

    // --- one job
    // -----------------------------------------------------------------------------------------------------

    settlement_rules rules_for(const running_job& job) const {
        settlement_rules r;
        r.remove_on_complete = options.remove_on_complete;
        r.remove_on_fail = options.remove_on_fail;
        r.max_started_attempts = options.max_started_attempts;
        r.now_ms = options.clock->now_ms();
        r.is_giving_back = job.cause() == running_job::stop_cause::worker_ends;
        if (job.cause() == running_job::stop_cause::cancelled) r.cancelled_because = job.stop_reason();
        r.custom_backoff = &options.custom_backoff;
        r.random = options.random.get();
        return r;
    }

    /// Why the job must not run, if so. Who fetches a job obeys what others have written into it.
    std::string refusal(const job_record& record) const {
        if (!record.deferred_failure.empty()) return record.deferred_failure;
        if (options.max_started_attempts > 0 && options.max_started_attempts < record.attempts_started)
            return "job started more than allowable limit";
        return {};
    }

    void begin(running_job& job) {
        idle.reset();
        if (!carrier.is_fetching()) { // taken by a call that was on its way when the drain began
            job.outcome.what = settlement::kind::release;
            carrier.settle(job);
            return;
        }
        if (auto reason = refusal(job.record()); !reason.empty()) {
            job.outcome = settle_failure(job.record(), job.options(), std::move(reason), rules_for(job));
            carrier.settle(job);
            return;
        }
        if (options.on_active) options.on_active(job.record());
        job.begin_processing();
        // A processor that never waits ends inside spawn(); the job itself stays until Redis has confirmed
        // its end.
        job.cancel_by(processors.spawn("job", process(job)));
    }

    task<void> process(running_job& job) {
        std::string value;
        std::exception_ptr error;
        try {
            if (!job.record().scheduler_id.empty()) 
                co_await create_next_iteration(options, keys, client, job.record());
            value = co_await run(job);
        } catch (...) {
            error = std::current_exception();
        }
        end(job, std::move(value), std::move(error));
    }

    void end(running_job& job, std::string value, std::exception_ptr error) {
        job.end_processing();
        if (job.cause() == running_job::stop_cause::lock_lost) {
            carrier.drop(job);
            return;
        }
        const auto rules = rules_for(job);
        if (error)
            job.outcome = settle_error(job.record(), job.options(), std::move(error), rules);
        else if (!value.empty() && !json.is_json(value))
            job.outcome = settle_failed_attempt(job.record(), job.options(),
                                                "the processor's return value is not JSON", rules);
        else
            job.outcome = settle_value(std::move(value), job.options(), rules);
        carrier.settle(job);
    }

    /// True: the job is done with.
    bool confirm(running_job& job, std::int64_t code) {
        const auto refused = outcome_of(code);
        if (refused == errc::failed_children && job.outcome.what == settlement::kind::completed) {
            job.outcome = settle_failure(job.record(), job.options(),
                                         "Cannot complete job " + job.id() +
                                             " because it has at least one failed child",
                                         rules_for(job));
            return false;
        }
        if (refused == errc::pending_dependencies) {
            job.outcome = settle_failed_attempt(
                job.record(), job.options(), "Job " + job.id() + " has pending dependencies", rules_for(job));
            return false;
        }
        report(job, refused);
        if (jobs.size() == 1) idle.set(); // this was the last
        return true;
    }

    void report(const running_job& job, const error_code& refused) const {
        using kind = settlement::kind;
        const auto& s = job.outcome;
        auto what = outcome::lost;
        std::string_view reason;
        std::string refusal_text;
        if (refused) {
            refusal_text = refused.message();
            reason = refusal_text;
            options.log.warn("job_lost",
                             {{"queue", keys.base()}, {"job_id", job.id()}, {"error", refusal_text}});
        } else {
            switch (s.what) {
            case kind::completed:
                what = outcome::completed;
                break;
            case kind::failed:
                what = outcome::failed;
                break;
            case kind::wait:
                what = outcome::retried;
                break;
            case kind::release:
                what = outcome::released;
                break;
            case kind::delayed:
                what = s.spends_attempt ? outcome::retried : outcome::delayed;
                break;
            }
            if (s.what != kind::completed) reason = s.value;
        }
        if (options.on_outcome)
            options.on_outcome(
                outcome{job.record(), what, reason, std::chrono::steady_clock::now() - job.started()});
    }

    // --- the whole
    // ---------------------------------------------------------------------------------------------------

    void report_broken_loop(std::string_view name, const std::exception_ptr& e) const {
        options.log.error("worker_loop_broken",
                          {{"queue", keys.base()}, {"loop", name}, {"error", message_of(e)}});
        std::rethrow_exception(e);
    }

    void start() {
        client.start();
        loops.spawn("conveyor", carrier.run());
        loops.spawn("idle_waiter", waiter.run());
        loops.spawn("lock_renewer", renewer.run());
        if (options.run_stalled_check) loops.spawn("stalled_checker", checker.run());
    }

    void begin_drain() {
        if (!carrier.is_fetching()) return;
        carrier.stop_fetching();
        waiter.close();
    }

    task<bool> wait_idle(std::chrono::steady_clock::time_point deadline) {
        while (!jobs.empty())
            if (!co_await idle.wait_until(deadline)) co_return jobs.empty();
        co_return true;
    }

    asio::any_io_executor executor;
    worker_options options;
    queue_keys keys;
    processor run;
    redis::client client;
    json_checker json;
    job_connection connection;
    running_jobs jobs;
    conveyor carrier;
    idle_waiter waiter;
    lock_renewer renewer;
    stalled_checker checker;
    event idle;
    bool is_started = false;
    bool is_stopped = false;
    task_group loops;
    task_group processors;

    using outcome = worker_options::outcome;
};

worker::worker(asio::any_io_executor executor, redis::address where, std::string queue_name, processor run,
               worker_options options)
    : impl_{std::make_unique<impl>(executor, std::move(where), std::move(queue_name), std::move(run),
                                   std::move(options))} {}

worker::~worker() {
    // A processor that ignored its cancellation still refers to all this, and nobody can wait for it here.
    if (impl_->processors.size() > 0) static_cast<void>(impl_.release());
}

void worker::start() {
    if (std::exchange(impl_->is_started, true)) return;
    impl_->start();
}

void worker::begin_drain() {
    impl_->begin_drain();
}

task<bool> worker::wait_idle(std::chrono::steady_clock::time_point deadline) {
    return impl_->wait_idle(deadline);
}

void worker::cancel_running(std::string reason) {
    impl_->begin_drain();
    impl_->jobs.for_each([&](running_job& job) {
        if (job.is_processing()) job.ask_to_stop(running_job::stop_cause::worker_ends, reason);
    });
}

bool worker::cancel(std::string_view id, std::string reason) {
    bool found = false;
    impl_->jobs.for_each([&](running_job& job) {
        if (job.id() != id || !job.is_processing() || job.should_stop()) return;
        found = true;
        job.ask_to_stop(running_job::stop_cause::cancelled, reason);
    });
    return found;
}

task<std::size_t> worker::stop(std::chrono::steady_clock::time_point finish_by,
                               std::chrono::steady_clock::time_point close_by) {
    if (!impl_->is_started || std::exchange(impl_->is_stopped, true)) co_return 0;
    begin_drain();
    if (!co_await wait_idle(std::min(finish_by, close_by))) {
        cancel_running("the worker stops");
        co_await wait_idle(close_by);
    }
    // In this order: nothing that uses the connections is left when they close. The loops end at once when
    // cancelled.
    const auto not_given_back = impl_->jobs.size();
    if (not_given_back > 0)
        impl_->options.log.error("jobs_not_given_back",
                                 {{"queue", impl_->keys.base()}, {"jobs", not_given_back}});
    impl_->loops.cancel();
    co_await impl_->loops.join();
    co_await impl_->client.stop();
    co_return not_given_back;
}

std::size_t worker::active() const noexcept {
    return impl_->jobs.size();
}
bool worker::is_draining() const noexcept {
    return !impl_->carrier.is_fetching();
}
bool worker::is_connected() const noexcept {
    return impl_->client.is_connected();
}
void worker::set_concurrency(std::size_t n) {
    impl_->carrier.set_concurrency(n);
}

} // namespace tiktrend::queue
