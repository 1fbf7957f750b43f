#include "add_batcher.hpp"
#include "input.hpp"
#include "job_id.hpp"
#include "keys.hpp"
#include "record.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

#include <tiktrend/queue/queue.hpp>

#include <boost/asio/async_result.hpp>

#include <limits>

namespace tiktrend::queue {
namespace {

constexpr std::string_view library_version = "tiktrend-queue:0.1.0";

redis::reply checked(redis::reply reply, const std::string& what) {
    if (reply.is_error()) throw std::runtime_error("queue " + what + ": " + std::string{reply.text()});
    return reply;
}

job_counts read_counts(redis::reply::view v) {
    job_counts c;
    c.waiting = v[0].integer();
    c.active = v[1].integer();
    c.completed = v[2].integer();
    c.failed = v[3].integer();
    c.delayed = v[4].integer();
    c.prioritized = v[5].integer();
    c.waiting_children = v[6].integer();
    return c;
}

template <class Error>
task<std::string> refuse(Error e) {
    throw e;
    co_return std::string{};
}

/// The jobs of one add_bulk() call that are still on their way.
struct bulk_call {
    std::vector<result<std::string>> results;
    std::size_t pending = 0;
    std::exception_ptr error;
    unique_function<void(std::exception_ptr)> done;

    /// What Redis refused is that job's result; what Redis did not answer ends the call.
    void keep(std::size_t position, std::exception_ptr e) {
        try {
            std::rethrow_exception(e);
        } catch (const system_error& refused) {
            if (refused.code().category() == category()) {
                results[position] = refused.code();
                return;
            }
        } catch (...) {
        }
        error = std::move(e);
    }
    void one_done() {
        if (--pending == 0) done(error);
    }
};

} // namespace

struct queue::impl {
    impl(redis::client& c, std::string n, queue_options o)
        : client{c}, name{std::move(n)}, options{std::move(o)}, keys{options.prefix, name},
          batcher{std::make_shared<add_batcher>(
              c, add_batcher::options{keys.base(), options.defaults,
                                      std::clamp<std::size_t>(options.max_batch, 1, 1000), options.clock,
                                      options.emit_debounced, options.trace_context})} {}

    redis::client& client;
    std::string name;
    queue_options options;
    queue_keys keys;
    std::shared_ptr<add_batcher> batcher;
    options_reader reader;
    json_checker json;

    task<redis::reply> run(const redis::script& script, std::vector<std::string> args = {}) {
        return run_script(client, script, keys.base(), std::move(args));
    }
    task<std::int64_t> run_code(const redis::script& script, std::vector<std::string> args,
                                std::string what) {
        const auto reply = co_await run(script, std::move(args));
        throw_if_refused(reply.integer(), what);
        co_return reply.integer();
    }
};

queue::queue(redis::client& client, std::string name, queue_options options)
    : impl_{std::make_unique<impl>(client, std::move(name), std::move(options))} {}
queue::~queue() = default;

const std::string& queue::name() const noexcept {
    return impl_->name;
}
const std::string& queue::key_base() const noexcept {
    return impl_->keys.base();
}

redis::client& queue::client() const noexcept {
    return impl_->client;
}
const queue_options& queue::options() const noexcept {
    return impl_->options;
}

task<void> queue::initialize() {
    const redis::command c{"HSET",    impl_->keys.meta(), "opts.maxLenEvents", impl_->options.max_events,
                           "version", library_version};
    checked(co_await impl_->client.exec(c), "initialize");
}

/// Only what is refused needs a coroutine; the job itself is handed to the batcher when the answer is
/// awaited.
task<std::string> queue::add(new_job job) {
    std::optional<options_problem> why;
    auto prepared = impl_->batcher->prepare(std::move(job), &why);
    if (why) return refuse(why->error());
    if (!prepared) return refuse(system_error(prepared.error(), "queue add"));
    auto initiate = [](auto handler, add_batcher* batcher, add_batcher::prepared_job p) {
        batcher->enqueue(std::move(p), std::move(handler));
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, std::string)>(
        initiate, asio::use_awaitable, impl_->batcher.get(), std::move(*prepared));
}

std::optional<input_error> queue::refusal_of(new_job job) const {
    const auto why = impl_->batcher->refusal_of(std::move(job));
    if (!why) return {};
    return why->error();
}

task<std::vector<result<std::string>>> queue::add_bulk(std::vector<new_job> jobs) {
    auto call = std::make_shared<bulk_call>();
    call->results.reserve(jobs.size());
    std::vector<add_batcher::prepared_job> accepted;
    std::vector<std::size_t> positions;
    accepted.reserve(jobs.size());
    positions.reserve(jobs.size());
    for (auto& job : jobs) {
        auto prepared = impl_->batcher->prepare(std::move(job), nullptr, accepted.size());
        if (prepared) {
            positions.push_back(call->results.size());
            accepted.push_back(std::move(*prepared));
            call->results.emplace_back(std::string{});
        } else {
            call->results.emplace_back(prepared.error());
        }
    }
    call->pending = accepted.size();
    if (accepted.empty()) co_return std::move(call->results);

    // The arrays live in this coroutine's frame, which stays while it waits.
    auto initiate = [](auto handler, add_batcher* batcher, std::shared_ptr<bulk_call> c,
                       std::vector<add_batcher::prepared_job>* list, const std::vector<std::size_t>* at) {
        c->done = [h = std::move(handler)](std::exception_ptr e) mutable { std::move(h)(std::move(e)); };
        for (std::size_t i = 0; i < list->size(); ++i)
            batcher->enqueue(
                std::move((*list)[i]),
                [c, position = (*at)[i]](std::exception_ptr e, std::string id) {
                    if (e)
                        c->keep(position, std::move(e));
                    else
                        c->results[position] = std::move(id);
                    c->one_done();
                },
                true);
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
        initiate, asio::use_awaitable, impl_->batcher.get(), call, &accepted, &positions);
    co_return std::move(call->results);
}

task<std::optional<std::pair<job_record, job_state>>> queue::get_job_and_state(std::string id) {
    if (!is_possible_job_id(id)) co_return std::nullopt;
    const auto reply = co_await impl_->run(scripts::all().get_job, {id});
    const auto fields = reply[1];
    if (fields.size() == 0) co_return std::nullopt;
    co_return std::pair{read_record(id, fields, fields.size(), impl_->reader, impl_->json),
                        state_from(reply[0].text())};
}

task<std::optional<job_record>> queue::get_job(std::string id) {
    if (!is_possible_job_id(id)) co_return std::nullopt;
    const redis::command c{"HGETALL", impl_->keys.job(id)};
    const auto reply = checked(co_await impl_->client.exec(c), "get_job");
    if (reply.size() == 0) co_return std::nullopt;
    co_return read_record(id, reply.root(), reply.size(), impl_->reader, impl_->json);
}

task<job_state> queue::get_state(std::string id) {
    const auto reply = co_await impl_->run(scripts::all().get_state, {std::move(id)});
    co_return state_from(reply.text());
}

task<job_counts> queue::counts() {
    const auto reply = co_await impl_->run(scripts::all().counts);
    co_return read_counts(reply.root());
}

task<queue_depth> queue::depth() {
    const auto reply = co_await impl_->run(scripts::all().depth);
    queue_depth d;
    d.backlog = reply[0].integer();
    d.effective = reply[1].integer();
    d.paused = reply[2].integer() != 0;
    d.oldest_waiting_ms = reply[3].integer();
    d.counts = read_counts(reply[4]);
    d.active = d.counts.active;
    co_return d;
}

task<job_logs> queue::logs(std::string id, std::int64_t start, std::int64_t end) {
    const auto key = impl_->keys.logs(id);
    const redis::command commands[]{redis::command{"LRANGE", key, start, end}, redis::command{"LLEN", key}};
    const auto replies = co_await impl_->client.exec_all(commands);
    job_logs out;
    const auto rows = checked(replies.at(0), "logs");
    for (std::size_t i = 0; i < rows.size(); ++i)
        out.rows.emplace_back(rows[i].text());
    out.count = checked(replies.at(1), "logs").integer();
    co_return out;
}

task<std::vector<std::string>> queue::ids(job_state state, std::int64_t start, std::int64_t end,
                                          bool ascending) {
    if (state == job_state::unknown)
        throw input_error(errc::invalid_argument, "state", "unknown", "a state that jobs can be listed by");
    const auto reply =
        co_await impl_->run(scripts::all().list_ids, {std::to_string(start), std::to_string(end),
                                                      ascending ? "1" : "0", std::string{to_string(state)}});
    std::vector<std::string> out;
    out.reserve(reply.size());
    for (std::size_t i = 0; i < reply.size(); ++i)
        out.emplace_back(reply[i].text());
    co_return out;
}

task<void> queue::pause() {
    co_await impl_->run(scripts::all().pause);
}

task<void> queue::resume() {
    for (;;) {
        const auto reply = co_await impl_->run(scripts::all().resume);
        if (reply.integer() == 0) co_return;
    }
}

task<bool> queue::is_paused() {
    const redis::command c{"HEXISTS", impl_->keys.meta(), "paused"};
    const auto reply = checked(co_await impl_->client.exec(c), "is_paused");
    co_return reply.integer() == 1;
}

task<void> queue::update_progress(std::string id, std::string json) {
    check_job_id(id);
    check_json(impl_->json, "progress", json);
    auto what = "update_progress of job " + id;
    co_await impl_->run_code(scripts::all().update_progress, {std::move(id), std::move(json)},
                             std::move(what));
}

task<void> queue::update_data(std::string id, std::string json) {
    check_job_id(id);
    check_json(impl_->json, "data", json);
    auto what = "update_data of job " + id;
    co_await impl_->run_code(scripts::all().update_data, {std::move(id), std::move(json)}, std::move(what));
}

task<std::int64_t> queue::add_log(std::string id, std::string row, std::int64_t keep) {
    check_job_id(id);
    check_number("keep", keep, 0, std::numeric_limits<std::int32_t>::max());
    auto what = "add_log of job " + id;
    co_return co_await impl_->run_code(
        scripts::all().add_log, {std::move(id), std::move(row), std::to_string(keep)}, std::move(what));
}

task<void> queue::promote(std::string id) {
    check_job_id(id);
    auto what = "promote of job " + id;
    co_await impl_->run_code(scripts::all().promote, {std::move(id)}, std::move(what));
}

task<bool> queue::remove(std::string id) {
    check_job_id(id);
    auto what = "remove of job " + id;
    const auto now = std::to_string(impl_->options.clock->now_ms());
    co_return co_await impl_->run_code(scripts::all().remove, {std::move(id), now}, std::move(what)) == 1;
}

task<void> queue::retry(std::string id, job_state from) {
    check_job_id(id);
    check_finished("state", from);
    auto what = "retry of job " + id;
    co_await impl_->run_code(scripts::all().retry, {std::move(id), std::string{to_string(from)}},
                             std::move(what));
}

} // namespace tiktrend::queue
