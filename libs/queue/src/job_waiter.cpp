#include "queue_call.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/events.hpp>
#include <tiktrend/queue/job_waiter.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <map>

namespace tiktrend::queue {

struct job_waiter::impl {
    impl(queue& queue, options o)
        : q{queue}, executor{queue.client().get_executor()}, opts{std::move(o)}, changed{executor},
          stopping{executor}, no_call{executor}, group{executor} {}

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
                followed_from = o.last_id;
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
    asio::any_io_executor executor;
    options opts;
    std::multimap<std::string, waiting*, std::less<>> waiters;
    std::unique_ptr<queue_events> events;
    event changed;  ///< the events are followed, or it is stopping
    event stopping; ///< set by stop()
    event no_call;  ///< notified when the last wait() has ended
    std::size_t calls = 0;
    std::string followed_from; ///< the entry after which the events are followed
    task_group group;

    task<redis::reply> look_at(std::string id) {
        return run_script_on(q, scripts::all().is_finished, {std::move(id)});
    }
    /// The end of a job that is gone, as the events since the start tell it; empty: they do not.
    task<std::optional<queue_event>> find_end(std::string id) {
        auto told = co_await queue_events::read_for_job(q.client(), q.key_base(), std::move(id),
                                                        followed_from, 10'000);
        while (!told.empty() && told.back().name != "completed" && told.back().name != "failed")
            told.pop_back();
        if (told.empty()) co_return std::nullopt;
        co_return std::move(told.back());
    }
};

job_waiter::job_waiter(queue& q, options o) : impl_{std::make_shared<impl>(q, std::move(o))} {}
job_waiter::~job_waiter() = default;

void job_waiter::start() {
    if (!impl_->events && impl_->group.size() == 0) impl_->group.spawn("job_waiter", impl_->begin());
}

task<void> job_waiter::stop() {
    const auto self = impl_;
    self->stopping.set();
    self->changed.set();
    for (auto& [id, w] : self->waiters)
        w->told.set();
    self->group.cancel();
    co_await self->group.join();
    if (self->events) co_await self->events->stop();
    while (self->calls > 0)
        co_await self->no_call.wait();
}

namespace {

task<void> keep_outcome(task<redis::reply> call, std::optional<redis::reply>& reply,
                        std::exception_ptr& error) {
    try {
        reply = co_await std::move(call);
    } catch (...) {
        error = std::current_exception();
    }
}

/// The reply to `call`; none if it was given up because of the event.
task<std::optional<redis::reply>> unless_set(event& stopping, task<redis::reply> call) {
    using namespace asio::experimental::awaitable_operators;
    std::optional<redis::reply> reply;
    std::exception_ptr error;
    // Neither side throws but by cancellation: `||` would wait for the other then.
    co_await (keep_outcome(std::move(call), reply, error) || stopping.wait());
    if (error && !stopping.is_set()) std::rethrow_exception(error);
    co_return reply;
}

} // namespace

task<std::string> job_waiter::wait(std::string id, std::chrono::milliseconds ttl) {
    check_job_id(id);
    check_number("ttl", ttl.count(), 1, max_delay.count());
    const auto self = impl_; // this call ends a little after stop(), and maybe after the waiter
    struct counted {
        impl& i;
        explicit counted(impl& owner) : i{owner} { ++i.calls; }
        ~counted() {
            if (--i.calls == 0) i.no_call.notify_all();
        }
        counted(const counted&) = delete;
        counted& operator=(const counted&) = delete;
    } const call{*self};
    const auto what = "wait for job " + id;
    const auto deadline = std::chrono::steady_clock::now() + ttl;
    const auto give_up = [&] { return std::chrono::steady_clock::now() >= deadline; };
    if (!co_await self->changed.wait_until(deadline)) throw system_error(tiktrend::errc::timed_out, what);

    impl::waiting mine{self->executor};
    struct registration { // also when the waiting coroutine is cancelled
        decltype(impl::waiters)& all;
        decltype(impl::waiters)::iterator at;
        ~registration() { all.erase(at); }
    } const registered{self->waiters, self->waiters.emplace(id, &mine)};
    bool was_seen = false;
    for (;;) {
        if (self->stopping.is_set()) throw system_error(tiktrend::errc::stopped, what);
        if (mine.is_completed) co_return std::move(mine.value);
        if (mine.is_failed) throw job_failed_error(mine.value);
        mine.told.reset();
        const auto found = co_await until(deadline, unless_set(self->stopping, self->look_at(id)));
        if (!found) continue;
        switch ((*found)[0].integer()) {
        case -1: {
            if (mine.is_completed || mine.is_failed) continue; // ended and removed at once
            // It ended and was removed while the events were out of reach; they may still tell how.
            const auto end = was_seen ? co_await until(deadline, self->find_end(id)) : std::nullopt;
            if (!end) throw system_error(errc::job_not_found, what);
            if (end->name == "failed") throw job_failed_error(std::string{end->get("failedReason")});
            co_return std::string{end->get("returnvalue")};
        }
        case 1:
            co_return std::string{(*found)[1].text()};
        case 2:
            throw job_failed_error(std::string{(*found)[1].text()});
        default:
            was_seen = true;
        }
        const auto next = std::min(deadline, std::chrono::steady_clock::now() + self->opts.look_again);
        if (!co_await mine.told.wait_until(next) && give_up())
            throw system_error(tiktrend::errc::timed_out, what);
    }
}

} // namespace tiktrend::queue
