#include "queue_call.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/events.hpp>
#include <tiktrend/queue/job_waiter.hpp>

#include <map>

namespace tiktrend::queue {

struct job_waiter::impl {
    impl(queue& queue, options o)
        : q{queue}, opts{std::move(o)}, changed{queue.client().get_executor()},
          group{queue.client().get_executor()} {}

    /// Somebody waits for this job: the outcome, once an event told it.
    struct waiting {
        explicit waiting(asio::any_io_executor executor) : told{std::move(executor)} {}
        event told;
        bool is_completed = false, is_failed = false;
        std::string value;
    };

    void on_event(const queue_event& e) {
        const auto [from, to] = waiters.equal_range(e.job_id());
        if (from == to) return;
        const bool is_completed = e.name == "completed", is_failed = e.name == "failed";
        if (!is_completed && !is_failed && e.name != "removed") return;
        for (auto i = from; i != to; ++i) {
            auto& w = *i->second;
            w.is_completed = is_completed;
            w.is_failed = is_failed;
            w.value = e.get(is_completed ? "returnvalue" : "failedReason");
            w.told.set();
        }
    }

    /// Follows the events from where the stream ends now, so that whoever looks at a job afterwards misses
    /// nothing.
    task<void> begin() {
        for (;;) {
            try {
                queue_events::options o;
                o.prefix = q.options().prefix;
                o.last_id = co_await queue_events::end_of(q.client(), q.key_base());
                o.log = opts.log;
                events = std::make_unique<queue_events>(
                    q.client().get_executor(), q.client().where(), q.name(),
                    [this](const queue_event& e) { on_event(e); }, std::move(o));
                events->start();
                changed.set();
                co_return;
            } catch (const system_error& e) {
                if (is_cancelled(e.code())) throw;
                opts.log.warn("job_waiter_interrupted", {{"queue", q.key_base()}, {"error", e.what()}});
            }
            co_await sleep_for(std::chrono::milliseconds{200});
        }
    }

    queue& q;
    options opts;
    std::multimap<std::string, waiting*, std::less<>> waiters;
    std::unique_ptr<queue_events> events;
    event changed; ///< the events are followed, or it is stopping
    bool is_stopping = false;
    task_group group;
};

job_waiter::job_waiter(queue& q, options o) : impl_{std::make_unique<impl>(q, std::move(o))} {}
job_waiter::~job_waiter() = default;

void job_waiter::start() {
    if (!impl_->events && impl_->group.size() == 0) impl_->group.spawn("job_waiter", impl_->begin());
}

task<void> job_waiter::stop() {
    impl_->is_stopping = true;
    impl_->changed.set();
    for (auto& [id, w] : impl_->waiters)
        w->told.set();
    impl_->group.cancel();
    co_await impl_->group.join();
    if (impl_->events) co_await impl_->events->stop();
}

task<std::string> job_waiter::wait(std::string id, std::chrono::milliseconds ttl) {
    check_job_id(id);
    check_number("ttl", ttl.count(), 1, max_delay.count());
    const auto what = "wait for job " + id;
    const auto deadline = std::chrono::steady_clock::now() + ttl;
    const auto give_up = [&] { return std::chrono::steady_clock::now() >= deadline; };
    if (!co_await impl_->changed.wait_until(deadline)) throw system_error(tiktrend::errc::timed_out, what);

    impl::waiting mine{impl_->q.client().get_executor()};
    struct registration { // also when the waiting coroutine is cancelled
        decltype(impl::waiters)& all;
        decltype(impl::waiters)::iterator at;
        ~registration() { all.erase(at); }
    } const registered{impl_->waiters, impl_->waiters.emplace(id, &mine)};
    for (;;) {
        if (impl_->is_stopping) throw system_error(tiktrend::errc::stopped, what);
        if (mine.is_completed) co_return std::move(mine.value);
        if (mine.is_failed) throw job_failed_error(mine.value);
        mine.told.reset();
        const auto found =
            co_await until(deadline, run_script_on(impl_->q, scripts::all().is_finished, {id}));
        switch (found[0].integer()) {
        case -1:
            if (mine.told.is_set() && (mine.is_completed || mine.is_failed))
                continue; // ended and removed at once
            throw system_error(errc::job_not_found, what);
        case 1:
            co_return std::string{found[1].text()};
        case 2:
            throw job_failed_error(std::string{found[1].text()});
        default:
            break;
        }
        const auto next = std::min(deadline, std::chrono::steady_clock::now() + impl_->opts.look_again);
        if (!co_await mine.told.wait_until(next) && give_up())
            throw system_error(tiktrend::errc::timed_out, what);
    }
}

} // namespace tiktrend::queue
