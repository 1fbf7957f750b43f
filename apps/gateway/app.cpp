#include "app.hpp"

#include "routes/metrics.hpp"

#include <tiktrend/base/program.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdio>
#include <fstream>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

std::vector<std::unique_ptr<shard>> make_shards(shared_parts& shared) {
    std::vector<std::unique_ptr<shard>> out;
    for (std::size_t i = 0; i < shared.settings.threads; ++i)
        out.push_back(std::make_unique<shard>(shared, i == 0));
    return out;
}

sources::registry_options definition_options(const config& c) {
    sources::registry_options o;
    o.input_defaults = c.source_defaults;
    return o;
}

sources::registry_ptr registry_of(const std::vector<sources::source_file>& files,
                                  const sources::registry_options& o) {
    auto made = sources::make_registry(files, o);
    if (!made) throw std::runtime_error(sources::to_string(made.error().front()));
    return std::move(*made);
}

std::shared_ptr<http::certificates> load_certificates(const config& c) {
    return c.certificates.chain.empty() ? nullptr : std::make_shared<http::certificates>(c.certificates);
}

/// Those of METRICS_QUEUES, read by nothing but /metrics.
std::vector<std::unique_ptr<queue::queue>> make_more_queues(const config& c, redis::client& client) {
    std::vector<std::unique_ptr<queue::queue>> out;
    queue::queue_options o;
    o.prefix = c.queue_prefix;
    for (const auto& name : c.metrics_queues)
        if (name != c.queue_name) out.push_back(std::make_unique<queue::queue>(client, name, o));
    return out;
}

/// A replica region has no queue of its own: its gateways say nothing of one.
std::vector<queue::queue*> watched_queues(const config& c, queue::queue& own,
                                          const std::vector<std::unique_ptr<queue::queue>>& more) {
    if (c.region.is_replica) return {};
    std::vector<queue::queue*> out{&own};
    for (const auto& q : more)
        out.push_back(q.get());
    return out;
}

} // namespace

app::app(const config& settings, std::vector<sources::source_file> definitions, logger log)
    : settings_{settings}, log_{std::move(log)}, definition_options_{definition_options(settings_)},
      shared_{settings_, registry_of(definitions, definition_options_),
              metrics_,  log_,
              false,     load_certificates(settings_)},
      shards_{make_shards(shared_)},
      definitions_{std::move(definitions), definition_options_, catalog::source_store{shards_[0]->database()},
                   log_, [this](const sources::registry_ptr& r) { take_definitions(r); }},
      more_queues_{make_more_queues(settings_, shards_[0]->queue_redis())},
      activity_{shards_[0]->cache_redis(), system_wall_clock()},
      sampled_{metrics_, shards_[0]->context().get_executor(),
               watched_queues(settings_, shards_[0]->jobs(), more_queues_), activity_, shards_[0]->usage()},
      servers_{metrics_, shards_[0]->queue_redis(), shards_[0]->cache_redis()},
      pool_{metrics_.gauges("db_pool_connections", "Database connections of this gateway by state.",
                            {"state"})},
      connections_{metrics_.make_gauge("http_connections", "Open client connections.")},
      tls_reloads_{metrics_.counters("tls_reloads_total", "Times the certificate's files were read again.",
                                     {"result"})},
      region_{metrics_.gauges("gateway_region_info",
                              "1, with the region and the part that this gateway plays.",
                              {"region", "role"})},
      process_metrics_{observe::add_process_metrics(metrics_, project_version())},
      stop_{shards_[0]->context().get_executor()} {
    region_(settings_.region.name, settings_.region.is_replica ? "replica" : "primary").set(1);
}

app::~app() {
    for (auto& t : threads_)
        if (t.joinable()) t.join();
}

int app::run() {
    auto& main = shards_[0]->context();
    asio::co_spawn(main, serve(), [this](std::exception_ptr e) { error_ = std::move(e); });
    main.run();
    for (auto& t : threads_)
        t.join();
    threads_.clear();
    if (error_) std::rethrow_exception(error_);
    return 0;
}

void app::start_threads() {
    shards_[0]->start(settings_.http.port);
    started_ = 1;
    for (; started_ < shards_.size(); ++started_) {
        auto& s = *shards_[started_];
        s.start(shards_[0]->port()); // its loop does not turn yet, so this thread may touch it
        threads_.emplace_back([&s] { s.context().run(); });
    }
}

void app::start_metrics_server() {
    auto routes = std::make_shared<http::router>();
    routes->add(http::method::get, "/metrics", metrics(metrics_, [this] { return refresh_metrics(); }));
    http::server_options options;
    options.address = settings_.metrics_address;
    options.port = settings_.metrics_port;
    options.log = log_;
    auto server =
        std::make_unique<http::server>(shards_[0]->context().get_executor(), std::move(routes), options);
    server->start();
    metrics_server_ = std::move(server);
}

task<void> app::serve() {
    task_group tasks{shards_[0]->context().get_executor()};
    std::exception_ptr failed;
    try {
        start_threads();
        start_metrics_server();
        write_port_file();
        tasks.spawn("signals", watch_signals());
        if (!settings_.region.is_replica) tasks.spawn("announce", announce());
        if (shared_.certificates) tasks.spawn("certificates", watch_certificates());
        if (settings_.sources_refresh.count() > 0)
            tasks.spawn("definitions", definitions_.follow(settings_.sources_refresh));
        tasks.spawn("stop deadline", stop_.run());
        log_.info("gateway_started", {{"address", settings_.http.address},
                                      {"port", shards_[0]->port()},
                                      {"metrics_port", metrics_server_->port()},
                                      {"threads", shards_.size()}});
        co_await stop_.draining().wait();
    } catch (...) { // a port that cannot be had: what was started is stopped like on any other day
        failed = std::current_exception();
        stop_.terminate("start failed");
    }
    co_await drain();
    tasks.cancel();
    co_await tasks.join();
    if (failed) std::rethrow_exception(failed);
}

task<void> app::watch_signals() {
    asio::signal_set signals{shards_[0]->context(), SIGTERM, SIGINT, SIGQUIT};
    signals.add(SIGHUP);
    for (int n = 0;;) {
        const int number = co_await signals.async_wait(asio::use_awaitable);
        if (number == SIGQUIT) {
            log_state();
            continue;
        }
        if (number == SIGHUP) {
            reload_certificates("SIGHUP");
            continue;
        }
        const std::string name = number == SIGTERM ? "SIGTERM" : "SIGINT";
        log_.info("signal", {{"name", name}});
        if (n++ == 0)
            stop_.request(std::chrono::steady_clock::now() + settings_.lame_duck + settings_.drain_timeout,
                          name);
        else
            stop_.terminate(name);
    }
}

void app::log_state() const {
    const auto& first = *shards_[0];
    log_.info("state", {{"draining", stop_.is_stopping()},
                        {"reason", stop_.reason()},
                        {"threads", threads_.size() + 1},
                        {"shards_started", started_},
                        {"port", first.port()},
                        {"metrics_port", metrics_server_ ? metrics_server_->port() : 0}});
}

task<void> app::announce() {
    // Redis may come up after us; until then POST answers 503 and readiness says why.
    for (;;) {
        try {
            co_await shards_[0]->announce_queue(30s);
            co_return;
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            if (e.code() == errc::stopped) co_return; // we stop, and it never came up
            log_.warn("queue_not_reachable", {{"error", e.what()}});
        }
        co_await sleep_for(1s);
    }
}

void app::take_definitions(const sources::registry_ptr& newer) {
    for (std::size_t i = 0; i < started_; ++i)
        asio::post(shards_[i]->context(), [s = shards_[i].get(), newer] { s->definitions().put(newer); });
}

void app::reload_certificates(std::string_view why) {
    if (!shared_.certificates) return;
    std::string reason;
    const bool good = shared_.certificates->reload(reason);
    tls_reloads_(good ? "ok" : "failed").add();
    if (good)
        log_.info("certificates_reloaded",
                  {{"cause", why}, {"expires_at", shared_.certificates->expires_at()}});
    else
        log_.error("certificates_not_reloaded", {{"cause", why}, {"error", reason}});
}

task<void> app::watch_certificates() {
    for (;;) {
        co_await sleep_for(settings_.certificates_interval);
        if (shared_.certificates->has_changed()) reload_certificates("files changed");
    }
}

task<void> app::stop_shard(shard& s, std::chrono::steady_clock::time_point deadline) {
    co_await asio::co_spawn(s.context(), s.stop(deadline), asio::use_awaitable);
}

task<void> app::drain() {
    shared_.draining = true;
    for (std::size_t i = 0; i < started_; ++i)
        asio::post(shards_[i]->context(), [s = shards_[i].get()] { s->begin_drain(); });
    // Load balancers learn later than we do that this endpoint goes away: serve on for the lame-duck time.
    log_.info("draining", {{"reason", stop_.reason()}});
    co_await stop_.terminating().wait_for(settings_.lame_duck);
    const auto now = std::chrono::steady_clock::now();
    const auto deadline =
        stop_.current() == stop_state::phase::terminating ? now : now + settings_.drain_timeout;
    are_shards_stopping_ = true;
    task_group stopping{shards_[0]->context().get_executor()};
    for (std::size_t i = 0; i < started_; ++i)
        stopping.spawn("shard", stop_shard(*shards_[i], deadline));
    co_await stopping.join();
    if (metrics_server_) co_await metrics_server_->stop(std::chrono::steady_clock::now() + 1s);
    log_.info("stopped");
}

task<void> app::refresh_metrics() {
    shard_report sum;
    for (auto& s : shards_) {
        if (are_shards_stopping_) co_return; // a loop that has ended would never answer
        auto r = co_await asio::co_spawn(s->context(), s->report(), asio::use_awaitable);
        activity_.add_seen(std::move(r.seen));
        sum.pool_in_use += r.pool_in_use;
        sum.pool_idle += r.pool_idle;
        sum.pool_waiting += r.pool_waiting;
        sum.connections += r.connections;
    }
    pool_("in_use").set(static_cast<double>(sum.pool_in_use));
    pool_("idle").set(static_cast<double>(sum.pool_idle));
    pool_("waiting").set(static_cast<double>(sum.pool_waiting));
    connections_.set(static_cast<double>(sum.connections));
    if (shared_.certificates)
        metrics_
            .make_gauge("tls_certificate_expiry_timestamp_seconds",
                        "Unix time at which the certificate in use ends.")
            .set(static_cast<double>(shared_.certificates->expires_at()));
    co_await sampled_.refresh();
    co_await servers_.refresh(shards_[0]->database().replicas());
}

void app::write_port_file() const {
    if (settings_.port_file.empty()) return;
    // Written beside and renamed, so that a reader never sees half of it.
    const auto part = settings_.port_file + ".part";
    std::ofstream{part} << "GATEWAY_PORT=" << shards_[0]->port()
                        << "\nMETRICS_PORT=" << metrics_server_->port() << '\n';
    if (std::rename(part.c_str(), settings_.port_file.c_str()) != 0)
        throw std::runtime_error("cannot write PORT_FILE " + settings_.port_file);
}

} // namespace tiktrend::gateway
