#include "target.hpp"

#include "../database.hpp"
#include "../redis_url.hpp"
#include "../usage_error.hpp"

#include <tiktrend/base/config_reader.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace tiktrend::cli {
namespace {

using namespace std::chrono_literals;

task<int> with_client(redis::address where, std::function<task<int>(redis::client&)> work) {
    redis::client client{co_await asio::this_coro::executor, where};
    client.start();
    int code = exit_failed;
    std::exception_ptr error;
    try {
        co_await client.wait_connected(5s);
        code = co_await work(client);
    } catch (...) {
        error = std::current_exception();
    }
    co_await client.stop();
    if (error) std::rethrow_exception(error);
    co_return code;
}

task<int> with_queue(const queue_target& target, const queue_work& work, redis::client& client) {
    queue::queue_options options;
    options.prefix = target.prefix;
    queue::queue q{client, target.name, options};
    const auto found =
        co_await client.exec(redis::command{"EXISTS", q.key_base() + "meta", q.key_base() + "id"});
    if (found.is_error()) throw std::runtime_error(std::string{found.text()});
    if (found.integer() == 0)
        throw std::runtime_error(
            fmt::format("there is no queue \"{}\" with the prefix \"{}\"", target.name, target.prefix));
    co_return co_await work(q);
}

redis::address address_of(const queue_target& target) {
    const auto where = redis::parse_url(target.url);
    if (!where) throw usage_error(fmt::format("--redis: expected {}, as REDIS_QUEUE_URL", redis_url_forms));
    return *where;
}

} // namespace

std::shared_ptr<queue_target> add_target(CLI::App& verb, bool is_destructive) {
    auto target = std::make_shared<queue_target>();
    config_reader r;
    target->url = r.text("REDIS_QUEUE_URL", "redis://127.0.0.1:6379/0");
    target->prefix = r.text("QUEUE_PREFIX", "bull");
    target->name = r.text("QUEUE_NAME", "scraping");
    verb.add_option("--redis", target->url, "Where the queue is (REDIS_QUEUE_URL)");
    verb.add_option("--prefix", target->prefix, "Key prefix (QUEUE_PREFIX)");
    verb.add_option("-q,--queue", target->name, "Queue (QUEUE_NAME)");
    verb.add_flag("--json", target->as_json, "Print JSON");
    if (is_destructive) verb.add_flag("--yes", target->is_sure, "Really do it: what is removed is gone");
    return target;
}

action on_queue(std::shared_ptr<queue_target> target, queue_work work) {
    return on_redis(target, [target, work = std::move(work)](redis::client& client) {
        return with_queue(*target, work, client);
    });
}

action on_queue_if_sure(std::shared_ptr<queue_target> target, std::string what, queue_work work) {
    return [target, what = std::move(what), run_it = on_queue(target, std::move(work))] {
        if (!target->is_sure)
            throw usage_error(
                fmt::format("{} of the queue \"{}\" cannot be undone: add --yes", what, target->name));
        return run_it();
    };
}

action on_redis(std::shared_ptr<queue_target> target, std::function<task<int>(redis::client&)> work) {
    return [target, work = std::move(work)] { return run(with_client(address_of(*target), work)); };
}

queue::job_state state_named(const std::string& name) {
    using enum queue::job_state;
    if (name == "wait") return waiting;
    for (const auto s : {waiting, active, completed, failed, delayed, prioritized, waiting_children})
        if (name == to_string(s)) return s;
    throw usage_error(fmt::format("--state=\"{}\": expected waiting, active, completed, failed, delayed, "
                                  "prioritized or waiting-children",
                                  name));
}

} // namespace tiktrend::cli
