#include "add_batcher.hpp"

#include "options_json.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

namespace tiktrend::queue {

add_batcher::add_batcher(redis::client& client, options o) : client_{client}, options_{std::move(o)} {}

result<add_batcher::prepared_job> add_batcher::prepare(new_job job) {
    job.options = with_defaults(std::move(job.options), options_.defaults);
    if (const auto e = check_options(job.options)) return e;
    if (job.options.size_limit && job.data.size() > *job.options.size_limit) return errc::data_too_large;
    if (!json_.is_json(job.data)) return errc::invalid_json;
    if (waiting_.size() >= max_waiting) return tiktrend::errc::overloaded;
    prepared_job p;
    p.opts = options_to_json(job.options);
    p.timestamp = std::to_string(job.options.timestamp_ms.value_or(options_.clock->now_ms()));
    p.delay = std::to_string(job.options.delay.count());
    p.priority = std::to_string(job.options.priority);
    p.job = std::move(job);
    return p;
}

void add_batcher::enqueue(prepared_job job, handler done) {
    waiting_.push_back(waiting_job{std::move(job), std::move(done)});
    schedule();
}

void add_batcher::schedule() {
    // With nothing on its way whatever is there goes. Else a few more batches may follow without waiting for
    // its reply, once they are worth a call: so Redis works on one batch while this thread makes the next. In
    // step, with one batch for everybody, each would wait while the other works.
    const bool may_send =
        in_flight_ == 0 || (in_flight_ < max_in_flight && waiting_.size() >= worth_sending);
    if (scheduled_ || waiting_.empty() || !may_send) return;
    scheduled_ = true;
    // Not now but after everything that is ready to run: what it adds travels along.
    asio::post(client_.get_executor(), [self = shared_from_this()] {
        self->scheduled_ = false;
        self->send();
        self->schedule();
    });
}

void add_batcher::send() {
    const auto count = std::min(waiting_.size(), options_.max_batch);
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
    asio::co_spawn(client_.get_executor(), std::move(reply),
                   [self = shared_from_this(), jobs = std::move(jobs)](std::exception_ptr e,
                                                                       std::vector<std::string> ids) {
                       self->finished(std::move(*jobs), std::move(e), std::move(ids));
                   });
}

task<std::vector<std::string>> add_batcher::run(std::shared_ptr<add_batcher> self, const batch& jobs) {
    std::vector<std::string_view> args;
    args.reserve(jobs.size() * 8);
    for (const auto& w : jobs) {
        const auto& p = w.prepared;
        for (const std::string_view word :
             {std::string_view{p.job.options.id}, std::string_view{p.job.name}, std::string_view{p.job.data},
              std::string_view{p.opts}, std::string_view{p.timestamp}, std::string_view{p.delay},
              std::string_view{p.priority}, std::string_view{p.job.options.lifo ? "R" : "L"}})
            args.push_back(word);
    }
    const auto reply =
        co_await run_script_views(self->client_, scripts::all().add, self->options_.key_base, args);
    std::vector<std::string> ids;
    ids.reserve(jobs.size());
    for (std::size_t i = 0; i < reply.size(); ++i)
        ids.emplace_back(reply[i].text());
    if (ids.size() != jobs.size()) throw std::runtime_error("queue add: unexpected reply");
    co_return ids;
}

void add_batcher::finished(batch jobs, std::exception_ptr error, std::vector<std::string> ids) {
    --in_flight_;
    schedule();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (error)
            jobs[i].done(error, {});
        else
            jobs[i].done(nullptr, std::move(ids[i]));
    }
}

} // namespace tiktrend::queue
