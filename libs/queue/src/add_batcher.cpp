#include "add_batcher.hpp"

#include "options_json.hpp"
#include "script_call.hpp"
#include "scripts.hpp"
#include "slot_tag.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace tiktrend::queue {
namespace {

constexpr std::size_t compared = 12; ///< earlier jobs whose words a job may share

/// The words ":1", ":2", … of lua/add.lua.
std::string_view reference(std::size_t n) {
    static const auto texts = [] {
        std::array<std::string, 1000> all;
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i] = ":" + std::to_string(i + 1);
        return all;
    }();
    return texts[n];
}

bool are_equal(const add_batcher::option_words& a, const add_batcher::option_words& b) noexcept {
    return &a == &b ||
           (a.opts == b.opts && a.delay == b.delay && a.priority == b.priority && a.side == b.side);
}

/// `job` differs from `earlier` in its data alone.
bool shares_words(const add_batcher::prepared_job& job, const add_batcher::prepared_job& earlier) noexcept {
    return job.id.empty() && job.timestamp_ms == earlier.timestamp_ms && job.name == earlier.name &&
           are_equal(*job.options, *earlier.options);
}

} // namespace

add_batcher::add_batcher(redis::client& client, options o) : client_{client}, options_{std::move(o)} {}

std::optional<options_problem> add_batcher::find_problem(const new_job& job) {
    if (auto problem = queue::find_problem(job.options)) return problem;
    if (const auto& parent = job.options.parent; parent && client_.where().kind == redis::topology::cluster &&
                                                 slot_tag(parent->queue + ":") != slot_tag(options_.key_base))
        return options_problem{errc::invalid_options, "parent.queue", quoted(parent->queue),
                               "a queue with the {tag} of this one, as a cluster needs"};
    return find_data_problem(job.data, job.options, json_);
}

std::optional<options_problem> add_batcher::refusal_of(new_job job) {
    job.options = with_defaults(std::move(job.options), options_.defaults);
    return find_problem(job);
}

result<add_batcher::prepared_job> add_batcher::prepare(new_job&& job, std::optional<options_problem>* why,
                                                       std::size_t ahead) {
    auto& o = job.options;
    fill_in(o, options_.defaults);
    const bool is_known = last_ && last_->source == o; // and was found good
    if (auto problem = is_known ? find_data_problem(job.data, o, json_) : find_problem(job)) {
        const auto code = problem->code;
        if (why) *why = std::move(problem);
        return code;
    }
    if (waiting_.size() + ahead >= max_waiting) return error_code{tiktrend::errc::overloaded};
    if (options_.trace_context && o.telemetry_metadata.empty() && !o.omit_context)
        o.telemetry_metadata = options_.trace_context();
    prepared_job p;
    p.id = o.id;
    p.name = std::move(job.name);
    p.data = std::move(job.data);
    p.timestamp_ms = o.timestamp_ms.value_or(options_.clock->now_ms());
    p.options = is_known && o.telemetry_metadata.empty() ? last_ : words_of(std::move(o));
    return p;
}

std::shared_ptr<const add_batcher::option_words> add_batcher::words_of(job_options&& o) {
    auto words = std::make_shared<option_words>();
    words->opts = options_to_json(o);
    words->delay = std::to_string(o.delay.count());
    words->priority = std::to_string(o.priority);
    words->side = side_word(o, false, options_.emits_debounced);
    const bool is_common = o.id.empty() && !o.timestamp_ms && o.telemetry_metadata.empty();
    words->source = std::move(o);
    if (is_common) last_ = words;
    return words;
}

void add_batcher::enqueue(prepared_job job, handler done, bool more_follow) {
    waiting_.push_back(waiting_job{std::move(job), std::move(done)});
    // Enough for a call of their own: Redis begins while this thread goes on with what is ready to run.
    if (!more_follow && waiting_.size() >= full && in_flight_ < max_in_flight)
        send();
    else
        schedule();
}

void add_batcher::schedule() {
    // With nothing on its way whatever is there goes. Else a few more batches may follow without waiting for
    // its reply, once they are worth a call: so Redis works on one batch while this thread makes the next. In
    // step, with one batch for everybody, each would wait while the other works.
    const bool may_send = in_flight_ == 0 || (in_flight_ < max_in_flight && waiting_.size() >= worth_sending);
    if (scheduled_ || waiting_.empty() || !may_send) return;
    scheduled_ = true;
    // Not now but after everything that is ready to run: what it adds travels along.
    asio::post(client_.get_executor(), [self = shared_from_this()] {
        self->scheduled_ = false;
        self->send();
        self->schedule();
    });
}

std::size_t add_batcher::next_batch_size() const noexcept {
    const auto most = std::min(waiting_.size(), options_.max_batch);
    std::size_t count = 0, bytes = 0;
    for (; count < most; ++count) {
        const auto& p = waiting_[count].prepared;
        bytes += p.data.size() + p.options->opts.size() + p.name.size() + p.options->side.size();
        if (bytes > max_batch_bytes && count > 0) break;
    }
    return count;
}

void add_batcher::send() {
    const auto count = next_batch_size();
    if (count == 0) return;
    auto jobs = std::make_unique<batch>();
    jobs->reserve(count);
    std::move(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count),
              std::back_inserter(*jobs));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    ++in_flight_;
    auto reply = run(shared_from_this(), *jobs);
    // The completion handler owns the batch and, through it, this object: the one coroutine outside a
    // task_group, since a queue has no stop() that could wait for a group. It ends by the client's command
    // timeout at the latest.
    asio::co_spawn(
        client_.get_executor(), std::move(reply),
        [self = shared_from_this(), jobs = std::move(jobs)](std::exception_ptr e, redis::reply replies) {
            self->finished(std::move(*jobs), std::move(e), replies);
        });
}

task<redis::reply> add_batcher::run(std::shared_ptr<add_batcher> self, const batch& jobs) {
    std::vector<std::string_view> args;
    args.reserve(jobs.size() * 8);
    std::vector<const prepared_job*> told; // with all their words
    std::vector<std::string> times;
    times.reserve(jobs.size()); // so that no text moves
    for (const auto& w : jobs) {
        const auto& p = w.prepared;
        const auto from = told.end() - static_cast<std::ptrdiff_t>(std::min(told.size(), compared));
        const auto like = std::find_if(from, told.end(), [&](const auto* t) { return shares_words(p, *t); });
        if (like != told.end()) {
            args.push_back(reference(static_cast<std::size_t>(like - told.begin())));
            args.push_back(p.data);
            continue;
        }
        told.push_back(&p);
        const auto& o = *p.options;
        const auto& time = times.emplace_back(std::to_string(p.timestamp_ms));
        args.insert(args.end(), {p.id, p.name, p.data, o.opts, time, o.delay, o.priority, o.side});
    }
    auto reply = co_await run_script_views(self->client_, scripts::all().add, self->options_.key_base, args);
    if (reply.size() != jobs.size()) throw std::runtime_error("queue add: unexpected reply");
    co_return reply;
}

void add_batcher::finished(batch jobs, std::exception_ptr error, const redis::reply& replies) {
    --in_flight_;
    schedule();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (error) {
            jobs[i].done(error, {});
        } else if (replies[i].type() == redis::reply::kind::integer) { // refused: this one alone
            const auto& parent = jobs[i].prepared.options->source.parent;
            std::string what = "queue add";
            if (parent) what += " under parent " + parent->queue + ":" + parent->id;
            auto refusal = system_error(outcome_of(replies[i].integer()), what);
            jobs[i].done(std::make_exception_ptr(std::move(refusal)), {});
        } else {
            jobs[i].done(nullptr, std::string{replies[i].text()});
        }
    }
}

} // namespace tiktrend::queue
