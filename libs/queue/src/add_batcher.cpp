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

/// `job` differs from `earlier` in its data alone.
bool shares_words(const add_batcher::prepared_job& job, const add_batcher::prepared_job& earlier) noexcept {
    return job.job.options.id.empty() && job.timestamp == earlier.timestamp && job.opts == earlier.opts &&
           job.job.name == earlier.job.name && job.delay == earlier.delay &&
           job.priority == earlier.priority && job.side == earlier.side;
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

result<add_batcher::prepared_job> add_batcher::prepare(new_job job, std::optional<options_problem>* why,
                                                       std::size_t ahead) {
    job.options = with_defaults(std::move(job.options), options_.defaults);
    if (auto problem = find_problem(job)) {
        const auto code = problem->code;
        if (why) *why = std::move(problem);
        return code;
    }
    if (waiting_.size() + ahead >= max_waiting) return error_code{tiktrend::errc::overloaded};
    if (options_.trace_context && job.options.telemetry_metadata.empty() && !job.options.omit_context)
        job.options.telemetry_metadata = options_.trace_context();
    prepared_job p;
    p.opts = options_to_json(job.options);
    p.timestamp = std::to_string(job.options.timestamp_ms.value_or(options_.clock->now_ms()));
    p.delay = std::to_string(job.options.delay.count());
    p.priority = std::to_string(job.options.priority);
    p.side = side_word(job.options, false, options_.emits_debounced);
    p.job = std::move(job);
    return p;
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
        bytes += p.job.data.size() + p.opts.size() + p.job.name.size() + p.side.size();
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
    for (const auto& w : jobs) {
        const auto& p = w.prepared;
        const auto from = told.end() - static_cast<std::ptrdiff_t>(std::min(told.size(), compared));
        const auto like = std::find_if(from, told.end(), [&](const auto* t) { return shares_words(p, *t); });
        if (like != told.end()) {
            args.push_back(reference(static_cast<std::size_t>(like - told.begin())));
            args.push_back(p.job.data);
            continue;
        }
        told.push_back(&p);
        for (const std::string_view word :
             {std::string_view{p.job.options.id}, std::string_view{p.job.name}, std::string_view{p.job.data},
              std::string_view{p.opts}, std::string_view{p.timestamp}, std::string_view{p.delay},
              std::string_view{p.priority}, std::string_view{p.side}})
            args.push_back(word);
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
            const auto& options = jobs[i].prepared.job.options;
            std::string what = "queue add";
            auto refusal = system_error(
                outcome_of(replies[i].integer()),
                what + (options.parent ? " under parent " + options.parent->queue + ":" + options.parent->id
                                       : std::string{}));
            jobs[i].done(std::make_exception_ptr(std::move(refusal)), {});
        } else {
            jobs[i].done(nullptr, std::string{replies[i].text()});
        }
    }
}

} // namespace tiktrend::queue
