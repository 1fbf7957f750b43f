#include "outbox/job_intake.hpp"

#include "outbox/job_text.hpp"

#include <tiktrend/base/ids.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/queue/error.hpp>

#include <algorithm>
#include <set>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// How long a row is left to the gateway that took it; longer than any of its calls takes.
constexpr auto lease = 15s;
constexpr std::size_t relay_batch = 200;
/// How old the number of waiting jobs may be that decides about new ones.
constexpr auto backlog_age = 1s;
constexpr auto measure_every = 5s;
constexpr auto stop_patience = 3s;
/// How long rows are locked at most while Redis is asked; whoever cancels one of these jobs waits for it.
constexpr auto hold_limit = 3s;

http::problem reduced(std::string code, std::string detail, std::chrono::seconds after) {
    return http::problem(503, std::move(code), std::move(detail))
        .with_type("https://iana.org/assignments/http-problem-types#temporary-reduced-capacity")
        .with_retry_after(after);
}

} // namespace

bool is_refused_for_good(const error_code& e) noexcept {
    return e.category() == queue::category();
}

/// Jobs that were written and go to the queue now.
struct job_intake::handover {
    explicit handover(asio::any_io_executor executor) : done{std::move(executor)} {}
    std::vector<queue::new_job> jobs;
    event done;
};

job_intake::job_intake(asio::any_io_executor executor, queue::queue& jobs, catalog::outbox_store& store,
                       enqueue_settings settings, bool relays, observe::registry& m, logger log,
                       const wall_clock& clock)
    : executor_{executor}, jobs_{jobs}, store_{store}, settings_{settings}, is_relay_{relays},
      added_{
          m.make_counter("outbox_relayed_total", "Jobs of the outbox that this gateway added to the queue.")},
      added_again_{m.make_counter("outbox_lost_jobs_total",
                                  "Jobs that the queue had lost and that were added again.")},
      relay_errors_{m.make_counter("outbox_relay_errors_total", "Times the outbox could not be worked on.")},
      refused_by_queue_{m.make_counter("outbox_refused_jobs_total",
                                       "Accepted jobs that the queue will never take; the log names them.")},
      refused_{m.make_counter("enqueue_refusals_total", "Requests refused since too many jobs wait.")},
      log_{log}, clock_{clock}, backlog_question_{executor}, handovers_{executor}, loops_{executor} {
    if (settings.how == durability::outbox && relays) {
        waiting_ =
            m.make_gauge("outbox_waiting_jobs", "Accepted jobs that are not known to be in the queue.");
        oldest_ = m.make_gauge("outbox_oldest_seconds", "Age of the oldest of them.");
    }
    if (settings.how == durability::replicated)
        barrier_ = std::make_unique<replication_barrier>(executor, jobs.client().where(), settings.replicas,
                                                         settings.replica_timeout, std::move(log));
}

job_intake::~job_intake() = default;

void job_intake::start() {
    if (barrier_) barrier_->start();
    if (settings_.how == durability::outbox && is_relay_) loops_.spawn("outbox relay", relay_loop());
}

task<void> job_intake::stop() {
    loops_.cancel();
    co_await loops_.join();
    if (!co_await handovers_.join_until(steady::now() + stop_patience)) {
        handovers_.cancel(); // the rows stay; another gateway hands them over
        co_await handovers_.join();
    }
    if (barrier_) co_await barrier_->stop();
}

// ---- taking in

bool job_intake::knows_backlog() const noexcept {
    // While one asks, the others go by the old number.
    return settings_.max_backlog == 0 || backlog_question_.is_taken() || steady::now() < backlog_until_;
}

task<void> job_intake::ask_backlog() {
    if (knows_backlog()) co_return;
    const auto mine = backlog_question_.take();
    try {
        backlog_ = (co_await jobs_.depth()).backlog;
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        backlog_ = 0; // adding will say what is wrong
    }
    backlog_until_ = steady::now() + backlog_age;
}

void job_intake::refuse_when_full() {
    if (settings_.max_backlog == 0 || backlog_ < settings_.max_backlog) return;
    refused_.add();
    throw reduced("queue_full", "Too many jobs wait already. Try again later.", 10s);
}

task<void> job_intake::confirm(std::vector<std::string> ids) {
    for (auto& id : ids)
        id.insert(0, jobs_.key_base());
    if (!co_await barrier_->reached(std::move(ids)))
        throw reduced(
            "not_replicated",
            "The job was added, but too few replicas have confirmed it. Send the request again with "
            "the same Idempotency-Key to make sure.",
            2s);
}

task<std::string> job_intake::add(queue::new_job job) {
    // Without a promise of its own it costs no coroutine of its own.
    return settings_.how == durability::local ? jobs_.add(std::move(job)) : add_durably(std::move(job));
}

task<std::string> job_intake::add_durably(queue::new_job job) {
    if (settings_.how == durability::outbox) {
        // What the queue would refuse is not taken in: nobody would be there to be told later.
        if (const auto why = jobs_.refusal_of(job)) throw *why;
        if (job.options.id.empty()) job.options.id = uuid_v7(clock_.now_ms());
        const auto id = job.options.id;
        std::vector<queue::new_job> one;
        one.push_back(std::move(job));
        co_await write_and_hand_over(std::move(one));
        co_return id;
    }
    const auto id = co_await jobs_.add(std::move(job));
    if (barrier_) co_await confirm(std::vector<std::string>(1, id));
    co_return id;
}

task<std::vector<result<std::string>>> job_intake::add_bulk(std::vector<queue::new_job> jobs) {
    if (settings_.how == durability::outbox) {
        std::vector<result<std::string>> out;
        std::vector<queue::new_job> good;
        for (auto& j : jobs) {
            if (const auto why = jobs_.refusal_of(j)) {
                out.emplace_back(why->code());
                continue;
            }
            if (j.options.id.empty()) j.options.id = uuid_v7(clock_.now_ms());
            out.emplace_back(j.options.id);
            good.push_back(std::move(j));
        }
        if (!good.empty()) co_await write_and_hand_over(std::move(good));
        co_return out;
    }
    auto out = co_await jobs_.add_bulk(std::move(jobs));
    if (barrier_) {
        std::vector<std::string> ids;
        for (const auto& r : out)
            if (r) ids.push_back(*r);
        if (!ids.empty()) co_await confirm(std::move(ids));
    }
    co_return out;
}

task<void> job_intake::forget(std::vector<std::string> ids) {
    if (settings_.how == durability::outbox && !ids.empty()) co_await store_.remove(std::move(ids));
}

task<void> job_intake::write_and_hand_over(std::vector<queue::new_job> jobs) {
    std::vector<catalog::outbox_job> rows;
    for (auto& j : jobs) {
        // With the id it names the run in the ledger, so it stays the same however often the job is added.
        if (!j.options.timestamp_ms) j.options.timestamp_ms = clock_.now_ms();
        rows.push_back(to_outbox(j));
    }
    co_await store_.insert(std::move(rows), lease);
    const auto h = std::make_shared<handover>(executor_);
    h->jobs = std::move(jobs);
    handovers_.spawn("outbox handover", hand_over(h));
    // From here on the job is safe. Usually it is in the queue in a moment, and the caller finds it there.
    co_await h->done.wait_for(settings_.outbox_wait);
}

task<void> job_intake::hand_over(std::shared_ptr<handover> h) {
    std::vector<std::string> good, left;
    try {
        const auto ids = [&] {
            std::vector<std::string> out;
            for (const auto& j : h->jobs)
                out.push_back(j.options.id);
            return out;
        }();
        std::vector<result<std::string>> added;
        bool is_there = true;
        try {
            added = co_await jobs_.add_bulk(h->jobs);
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            is_there = false; // the relay tries again
            left = ids;
        }
        for (std::size_t i = 0; is_there && i < added.size(); ++i)
            (added[i] ? good : left).push_back(ids[i]);
        h->done.set();
        added_.add(static_cast<double>(good.size()));
        if (!good.empty()) co_await store_.mark_relayed(std::move(good), settings_.outbox_recheck);
        if (!left.empty()) co_await store_.release(std::move(left));
    } catch (const std::exception& e) {
        h->done.set();
        relay_errors_.add(); // the lease ends, and the relay sees to it
        log_.warn("outbox_handover_failed", {{"error", e.what()}});
    }
}

// ---- relaying

task<void> job_intake::relay_loop() {
    auto next_measure = steady::now();
    connects_ = jobs_.client().connects();
    for (;;) {
        std::string trouble;
        try {
            co_await note_reconnection();
            while (jobs_.client().is_connected() && co_await relay_some() == relay_batch) {
            }
            if (steady::now() >= next_measure) {
                next_measure = steady::now() + measure_every;
                co_await measure();
            }
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            trouble = e.what();
        }
        if (!trouble.empty()) {
            relay_errors_.add();
            log_.warn("outbox_relay_failed", {{"error", trouble}});
        }
        co_await sleep_for(settings_.relay_interval);
    }
}

/// A new connection may lead to a server that knows nothing any more.
task<void> job_intake::note_reconnection() {
    const auto n = jobs_.client().connects();
    if (std::exchange(connects_, n) != n) needs_all_due_ = true;
    if (!needs_all_due_ || !jobs_.client().is_connected()) co_return;
    co_await store_.make_all_due();
    needs_all_due_ = false;
}

task<std::size_t> job_intake::relay_some() {
    auto rows = co_await store_.claim(relay_batch, lease);
    const auto n = rows.size();
    if (n > 0) co_await relay(std::move(rows));
    co_return n;
}

task<void> job_intake::relay(std::vector<catalog::outbox_store::claimed> rows) {
    std::vector<std::string> over, present;
    std::vector<queue::new_job> to_add;
    std::size_t lost = 0;
    for (const auto& row : rows) {
        if (row.has_succeeded) {
            over.push_back(row.job_id);
            continue;
        }
        const auto state = row.was_relayed ? co_await jobs_.get_state(row.job_id) : queue::job_state::unknown;
        if (state == queue::job_state::completed || state == queue::job_state::failed) {
            over.push_back(row.job_id);
        } else if (state != queue::job_state::unknown) {
            present.push_back(row.job_id);
        } else if (auto job = from_outbox(row); !job) {
            log_.error("outbox_row_unreadable", {{"job_id", row.job_id}});
            over.push_back(row.job_id);
        } else if (row.failed_attempts >= std::max(job->options.attempts, 1)) {
            over.push_back(
                row.job_id); // the queue keeps only the newest failed jobs, and this one is not among them
        } else {
            to_add.push_back(std::move(*job));
            lost += row.was_relayed ? 1 : 0;
        }
    }
    co_await add_wanted(std::move(to_add), present, over);
    if (lost > 0) {
        added_again_.add(static_cast<double>(lost));
        log_.warn("outbox_jobs_were_lost", {{"count", lost}});
    }
    if (!present.empty()) co_await store_.mark_relayed(std::move(present), settings_.outbox_recheck);
    if (!over.empty()) co_await store_.remove(std::move(over));
}

/// Under a hold of the rows: who cancels a job forgets its row first, so either the row is gone here and
/// nothing is added, or the cancellation comes after the adding and finds the job. (An outbox that hands over
/// as usual holds nothing.)
task<void> job_intake::add_wanted(std::vector<queue::new_job> jobs, std::vector<std::string>& present,
                                  std::vector<std::string>& over) {
    if (jobs.empty()) co_return;
    std::vector<std::string> asked;
    for (const auto& j : jobs)
        asked.push_back(j.options.id);
    auto held = co_await store_.hold_wanted(std::move(asked));
    const std::set<std::string_view> wanted{held.job_ids().begin(), held.job_ids().end()};
    std::erase_if(jobs, [&](const auto& j) { return !wanted.contains(j.options.id); });
    std::vector<std::string> ids;
    for (const auto& j : jobs)
        ids.push_back(j.options.id);
    const auto added = co_await within(hold_limit, jobs_.add_bulk(std::move(jobs)));
    co_await held.end();
    std::vector<std::string> later;
    for (std::size_t i = 0; i < added.size(); ++i) {
        if (added[i]) {
            added_.add();
            present.push_back(ids[i]);
        } else if (is_refused_for_good(added[i].error())) {
            refused_by_queue_.add();
            log_.error("outbox_job_refused", {{"job_id", ids[i]}, {"error", added[i].error().message()}});
            over.push_back(ids[i]);
        } else {
            later.push_back(ids[i]);
        }
    }
    if (!later.empty()) co_await store_.release(std::move(later));
}

task<void> job_intake::measure() {
    const auto b = co_await store_.measure();
    waiting_.set(static_cast<double>(b.waiting));
    oldest_.set(b.oldest_seconds);
}

} // namespace tiktrend::gateway
