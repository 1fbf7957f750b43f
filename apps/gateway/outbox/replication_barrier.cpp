#include "outbox/replication_barrier.hpp"

namespace tiktrend::gateway {
namespace {

redis::client_options options_for(std::chrono::milliseconds timeout, logger log) {
    redis::client_options o;
    o.client_name = "tiktrend-barrier";
    o.command_timeout = timeout + std::chrono::seconds{2};
    o.log = std::move(log);
    return o;
}

} // namespace

/// Callers that are answered by one WAIT.
struct replication_barrier::round {
    explicit round(asio::any_io_executor executor) : done{std::move(executor)} {}
    std::vector<std::string> keys;
    std::vector<bool> exist; ///< by key
    std::int64_t confirmed = 0;
    std::exception_ptr error;
    event done;
};

replication_barrier::replication_barrier(asio::any_io_executor executor, redis::address where, int replicas,
                                         std::chrono::milliseconds timeout, logger log)
    : executor_{executor}, client_{executor, std::move(where), options_for(timeout, std::move(log))},
      replicas_{replicas}, timeout_{timeout}, tasks_{executor} {}

replication_barrier::~replication_barrier() = default;

void replication_barrier::start() {
    client_.start();
}

task<void> replication_barrier::stop() {
    co_await tasks_.join(); // bounded by the command timeout
    co_await client_.stop();
}

task<void> replication_barrier::run(std::shared_ptr<round> r) {
    try {
        std::vector<redis::command> commands;
        commands.reserve(r->keys.size() + 1);
        for (const auto& k : r->keys)
            commands.push_back(redis::command{"EXISTS", k});
        commands.push_back(redis::command{"WAIT", replicas_, timeout_.count()});
        const auto replies = co_await client_.exec_all(commands);
        for (std::size_t i = 0; i < r->keys.size(); ++i)
            r->exist.push_back(replies[i].type() == redis::reply::kind::integer && replies[i].integer() == 1);
        const auto& waited = replies.back();
        if (waited.is_error())
            throw redis::server_error{redis::errc::protocol_error, client_.where().to_string(),
                                      "WAIT: " + std::string{waited.text()}};
        r->confirmed = waited.integer();
    } catch (...) {
        r->error = std::current_exception();
    }
    r->done.set();
    busy_ = false;
    begin_next();
}

void replication_barrier::begin_next() {
    if (busy_ || !gathering_) return;
    busy_ = true;
    tasks_.spawn("replication barrier", run(std::exchange(gathering_, nullptr)));
}

task<bool> replication_barrier::reached(std::vector<std::string> keys) {
    if (!gathering_) gathering_ = std::make_shared<round>(executor_);
    const auto mine = gathering_;
    const auto from = mine->keys.size();
    const auto count = keys.size();
    std::move(keys.begin(), keys.end(), std::back_inserter(mine->keys));
    begin_next();
    co_await mine->done.wait();
    if (mine->error) std::rethrow_exception(mine->error);
    for (std::size_t i = from; i < from + count; ++i)
        if (!mine->exist[i]) co_return false;
    co_return mine->confirmed >= replicas_;
}

} // namespace tiktrend::gateway
