#include "batch_gatherer.hpp"
#include "conveyor.hpp"
#include "idle_waiter.hpp"
#include "job_ends.hpp"
#include "keys.hpp"
#include "limits.hpp"
#include "lock_renewer.hpp"
#include "running_job.hpp"
#include "scheduler_step.hpp"
#include "stalled_checker.hpp"
#include "worker_check.hpp"
#include "worker_connection.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/worker.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>

namespace tiktrend::queue {
namespace {

constexpr std::chrono::seconds patience_for_a_reply{1};

redis::client_options command_connection(const worker_options& options) {
    auto o = connection_for(options);
    o.wait_for_connection = true;
    return o;
}

} // namespace

struct worker::impl {
    impl(asio::any_io_executor ex, redis::address where, std::string queue_name, processor one,
         batch_processor many, worker_options o)
        : executor{ex}, options{checked(std::move(o))}, keys{options.prefix, queue_name}, run{std::move(one)},
          client{ex, where, command_connection(options)},
          connection{client, keys.base(), json, *options.clock},
          carrier{ex,
                  options,
                  keys,
                  connection,
                  jobs,
                  conveyor::hooks{[this](running_job& j) { begin(j); },
                                  [this](running_job& j, std::int64_t code) { return confirm(j, code); }}},
          ends{options, keys, connection, carrier}, waiter{ex, where, options, keys, carrier},
          renewer{options, keys, connection, jobs}, checker{options, keys, client}, idle{ex},
          loops{ex, [this](std::string_view name, std::exception_ptr e) { report_broken_loop(name, e); }},
          processors{ex} {
        idle.set();
        if (many) gatherer.emplace(ex, options, std::move(many), carrier, ends);
    }

    // --- one job
    // -----------------------------------------------------------------------------------------------------

    void begin(running_job& job) {
        idle.reset();
        if (!carrier.may_take()) // taken by a call that was on its way when the drain or the pause began
            ends.release(job);
        else if (!job.record().scheduler_id.empty())
            start_scheduled(job);
        else
            begin_alone(job);
    }

    void begin_alone(running_job& job) {
        if (auto reason = ends.refusal(job.record()); !reason.empty())
            ends.refuse(job, std::move(reason));
        else if (gatherer)
            gatherer->add(job);
        else
            start_processing(job);
    }

    void start_processing(running_job& job) {
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
            value = co_await run(job);
        } catch (...) {
            error = std::current_exception();
        }
        ends.end(job, std::move(value), std::move(error));
    }

    // A scheduler goes on when its job is taken, whatever becomes of that: also if it is refused, or waits
    // for others of its batch. The job counts as running meanwhile, so that it can be cancelled and given
    // back.

    void start_scheduled(running_job& job) {
        job.begin_processing();
        job.cancel_by(processors.spawn("scheduler step", continue_scheduler(job)));
    }

    task<void> continue_scheduler(running_job& job) {
        std::exception_ptr error;
        try {
            co_await asio::post(
                executor, asio::use_awaitable); // so that the job has the signal of this before it goes on
            co_await create_next_iteration(options, keys, client, job.record());
        } catch (...) {
            error = std::current_exception();
        }
        if (error) {
            ends.end(job, {}, std::move(error));
            co_return;
        }
        job.end_processing();
        if (!carrier.may_take())
            ends.release(job);
        else if (job.should_stop())
            ends.end(job, {}, std::make_exception_ptr(system_error{asio::error::operation_aborted}));
        else
            begin_alone(job);
    }

    /// True: the job is done with.
    bool confirm(running_job& job, std::int64_t code) {
        if (!ends.confirm(job, code)) return false;
        if (jobs.size() == 1) idle.set(); // this was the last
        return true;
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
        loops.spawn("second conveyor", carrier.run_second());
        loops.spawn("idle_waiter", waiter.run());
        if (options.run_lock_renewal) loops.spawn("lock_renewer", renewer.run());
        if (gatherer) loops.spawn("batch_gatherer", gatherer->run());
        if (options.run_stalled_check) loops.spawn("stalled_checker", checker.run());
    }

    void begin_drain() {
        if (!carrier.is_fetching()) return;
        carrier.stop_fetching();
        waiter.close();
        if (gatherer) gatherer->release_gathered();
    }

    void pause() {
        if (!carrier.may_take()) return;
        carrier.pause(true);
        waiter.close(); // so that no marker is popped for nobody
        if (gatherer) gatherer->release_gathered();
    }

    std::size_t cancel(std::string_view id, bool all, const std::string& reason) {
        std::size_t found = 0;
        jobs.for_each([&](running_job& job) {
            if ((!all && job.id() != id) || !job.is_open() || job.should_stop()) return;
            ++found;
            job.ask_to_stop(running_job::stop_cause::cancelled, reason);
        });
        if (gatherer && found > 0) gatherer->wake();
        return found;
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
    job_ends ends;
    idle_waiter waiter;
    lock_renewer renewer;
    stalled_checker checker;
    event idle;
    bool is_started = false;
    bool is_stopped = false;
    task_group loops;
    task_group processors;
    std::optional<batch_gatherer> gatherer;
};

worker::worker(asio::any_io_executor executor, redis::address where, std::string queue_name, processor run,
               worker_options options)
    : impl_{std::make_unique<impl>(executor, std::move(where), std::move(queue_name), std::move(run),
                                   batch_processor{}, std::move(options))} {}

worker::worker(asio::any_io_executor executor, redis::address where, std::string queue_name,
               batch_processor run, worker_options options)
    : impl_{std::make_unique<impl>(executor, std::move(where), std::move(queue_name), processor{},
                                   std::move(run), std::move(options))} {}

worker::~worker() {
    // A processor that ignored its cancellation still refers to all this, and nobody can wait for it here.
    if (impl_->processors.size() > 0 || (impl_->gatherer && impl_->gatherer->batches().size() > 0))
        static_cast<void>(impl_.release());
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
    return impl_->cancel(id, false, reason) > 0;
}

std::size_t worker::cancel_all(std::string reason) {
    return impl_->cancel({}, true, reason);
}

void worker::pause() {
    impl_->pause();
}

void worker::resume() {
    if (impl_->carrier.is_paused()) impl_->carrier.pause(false);
}

bool worker::is_paused() const noexcept {
    return impl_->carrier.is_paused();
}

task<void> worker::rate_limit(std::chrono::milliseconds duration) {
    return limit_queue(impl_->client, impl_->keys.base(), duration);
}

task<std::size_t> worker::stop(std::chrono::steady_clock::time_point finish_by,
                               std::chrono::steady_clock::time_point close_by) {
    if (!impl_->is_started || std::exchange(impl_->is_stopped, true)) co_return 0;
    begin_drain();
    // Jobs that come now are given back; those of a call whose reply does not come would wait for their locks
    // to expire.
    co_await impl_->carrier.wait_answered(
        std::min({finish_by, close_by, std::chrono::steady_clock::now() + patience_for_a_reply}));
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
    n = std::max<std::size_t>(n, 1);
    impl_->options.concurrency = n;
    if (impl_->gatherer)
        impl_->gatherer->set_concurrency(n);
    else
        impl_->carrier.set_concurrency(n);
}
std::size_t worker::concurrency() const noexcept {
    return impl_->options.concurrency;
}

} // namespace tiktrend::queue
