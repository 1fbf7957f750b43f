#include "app.hpp"

#include "app_parts.hpp"
#include "jobs/refresh_trends.hpp"
#include "status_routes.hpp"

#include <tiktrend/base/program.hpp>
#include <tiktrend/catalog/migrations.hpp>
#include <tiktrend/postgres/migrator.hpp>
#include <tiktrend/redis/info.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

} // namespace

app::app(const config& settings, std::vector<sources::source_file> definitions, logger log)
    : settings_{settings}, definitions_{std::move(definitions)}, log_{std::move(log)},
      stop_{context_.get_executor()}, drain_for_{settings.drain_timeout},
      parts_{std::make_unique<parts>(*this, settings_, log_)} {
    if (settings_.spot.where != cloud::none)
        parts_->spot = std::make_unique<spot_watcher>(context_.get_executor(), settings_.spot, log_);
    if (!settings_.deletion_cost.api_url.empty())
        parts_->cost =
            std::make_unique<deletion_cost>(context_.get_executor(), settings_.deletion_cost, log_);
    collectors_ = {observe::add_process_metrics(metrics_registry_, project_version()),
                   metrics_registry_.on_collect([this] {
                       parts_->metrics.refresh(parts_->worker, parts_->fetcher, parts_->database);
                   })};
}

app::~app() = default;

int app::run() {
    asio::co_spawn(context_, serve(), [this](std::exception_ptr e) { error_ = std::move(e); });
    context_.run();
    if (error_) std::rethrow_exception(error_);
    return status_;
}

void app::start_status_server() {
    status_source source;
    source.check = [this] {
        std::vector<readiness> out;
        const bool is_queue_up = !parts_->is_working || parts_->worker.is_connected();
        out.push_back({"redis_queue", is_queue_up && policy_problem_.empty(),
                       is_queue_up ? policy_problem_ : "no connection"});
        out.push_back({"clock", clock_problem_.empty(), clock_problem_});
        const bool is_database_up = parts_->database.write().is_healthy() && waiting_for_.empty();
        out.push_back({"database", is_database_up,
                       waiting_for_.empty() ? "no connection" : "waiting for " + waiting_for_});
        return out;
    };
    source.is_draining = [this] { return stop_.is_stopping(); };
    http::server_options o;
    o.address = settings_.metrics_address;
    o.port = settings_.metrics_port;
    o.log = log_;
    parts_->status = std::make_unique<http::server>(
        context_.get_executor(),
        std::make_shared<http::router>(status_routes(metrics_registry_, std::move(source))), o);
    parts_->status->start();
}

/// The connection is back in its pool afterwards, which may have no other.
task<postgres::migration_status> app::schema_status(const postgres::migrator& migrations) {
    const auto connection = co_await parts_->database.write().acquire();
    co_return co_await within(5s, migrations.status(*connection));
}

/// Jobs are taken only once the database answers and has this program's schema: a worker that cannot write
/// would only burn other workers' jobs.
task<void> app::start_when_ready() {
    const postgres::migrator migrations{catalog::migrations::files()};
    std::string said;
    for (auto pause = 100ms; !stop_.is_stopping();
         pause = std::min<std::chrono::milliseconds>(pause * 2, 2000ms)) {
        std::string problem;
        try {
            const auto status = co_await schema_status(migrations);
            if (status.is_ready()) {
                co_await start_upkeep();
                waiting_for_.clear();
                parts_->worker.start();
                parts_->cancellations.start();
                parts_->is_working = true;
                log_.info("worker_ready",
                          {{"queue", settings_.queue_name}, {"schema_version", status.current}});
                co_return;
            }
            waiting_for_ = "the schema";
            problem = status.summary();
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            waiting_for_ = "the database";
            problem = e.what();
        }
        if (problem != said) log_.warn("waiting", {{"for", waiting_for_}, {"reason", problem}});
        said = problem;
        co_await stop_.draining().wait_for(pause);
    }
}

/// Before the first job: with the definitions of the database a job may run by the one it was made for.
task<void> app::start_upkeep() {
    upkeep_ = std::make_unique<task_group>(context_.get_executor());
    auto& p = *parts_;
    if (settings_.sources_refresh.count() > 0) {
        co_await p.definitions.refresh();
        upkeep_->spawn("definitions", p.definitions.follow(settings_.sources_refresh));
    }
    upkeep_->spawn("trend schedule", keep_trend_schedule());
}

/// Tries until the queue's Redis takes it.
task<void> app::keep_trend_schedule() {
    for (;;) {
        try {
            co_await schedule_trends(parts_->queue_of_jobs, settings_.trend_refresh);
            co_return;
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            log_.warn("trends_not_scheduled", {{"error", e.what()}});
        }
        co_await sleep_for(10s);
    }
}

task<void> app::serve() {
    task_group tasks{context_.get_executor()};
    std::exception_ptr failed;
    try {
        start_status_server();
        write_port_file();
        parts_->database.start();
        parts_->cache.start();
        parts_->shared.start();
        tasks.spawn("signals", watch_signals());
        tasks.spawn("stop deadline", stop_.run());
        tasks.spawn("second signal", hurry_on_second_signal());
        tasks.spawn("start", start_when_ready());
        tasks.spawn("queue server", check_queue_server());
        if (parts_->spot) tasks.spawn("spot notices", watch_spot_notices());
        if (parts_->cost)
            tasks.spawn("deletion cost", parts_->cost->run([this] { return parts_->worker.active(); }));
        log_.info("worker_started", {{"queue", settings_.queue_name},
                                     {"concurrency", settings_.concurrency},
                                     {"sources", parts_->definitions.current()->all().size()},
                                     {"metrics_port", parts_->status->port()}});
        co_await stop_.draining().wait();
    } catch (...) { // a port that cannot be had: what was started is stopped like on any other day
        failed = std::current_exception();
        stop_.terminate("start failed");
    }
    co_await drain();
    tasks.cancel();
    co_await tasks.join();
    if (parts_->spot) co_await parts_->spot->stop();
    if (parts_->cost) co_await parts_->cost->stop();
    if (failed) std::rethrow_exception(failed);
}

task<void> app::watch_signals() {
    asio::signal_set signals{context_, SIGTERM, SIGINT, SIGQUIT};
    for (bool is_first = true;;) {
        const int number = co_await signals.async_wait(asio::use_awaitable);
        if (number == SIGQUIT) {
            log_state();
            continue;
        }
        const std::string name = number == SIGTERM ? "SIGTERM" : "SIGINT";
        log_.info("signal", {{"name", name}});
        if (std::exchange(is_first, false))
            ask_to_drain(settings_.drain_timeout, name);
        else
            stop_.terminate(name + " again");
    }
}

/// A notice and a signal may both come, in any order: the one that leaves less time counts.
void app::ask_to_drain(std::chrono::milliseconds limit, std::string reason) {
    if (!stop_.is_stopping()) drain_for_ = std::min(drain_for_, limit);
    const auto plan = plan_drain(steady::now(), limit);
    if (stop_.is_stopping()) guard_.arm(plan.exit_at);
    stop_.request(plan.cancel_at, std::move(reason));
}

task<void> app::watch_spot_notices() {
    const auto on_hint = [this] {
        parts_->metrics.spot_notice("rebalance");
        if (settings_.drains_on_rebalance) ask_to_drain(settings_.drain_timeout, "rebalance recommendation");
    };
    const auto notice = co_await parts_->spot->wait(on_hint);
    const auto usable = usable_ms(settings_.spot.where, notice, system_wall_clock().now_ms());
    parts_->metrics.spot_notice("leave");
    log_.warn("spot_notice", {{"what", notice.what}, {"usable_ms", usable}});
    ask_to_drain(std::min(settings_.drain_timeout, std::chrono::milliseconds{usable}),
                 "spot notice: " + notice.what);
}

/// A Redis that evicts loses jobs without a word, and clocks that differ make delayed jobs early or late, so
/// the worker says so and is not ready. It goes on working all the same: jobs that nobody takes are lost
/// sooner. Servers that do not tell (INFO or TIME refused) pass.
task<void> app::check_queue_server() {
    const redis::command ask{"INFO", "memory"};
    for (;;) {
        auto again = 10s;
        try {
            const auto answer = co_await within(2s, parts_->shared.exec(ask));
            const auto policy = redis::eviction_policy(answer.text());
            const bool is_wrong = !policy.empty() && policy != "noeviction";
            if (is_wrong && policy_problem_.empty())
                log_.error("wrong_eviction_policy", {{"server", "queue"},
                                                     {"policy", policy},
                                                     {"expected", "noeviction"},
                                                     {"effect", "jobs can vanish when memory runs out"}});
            policy_problem_ =
                is_wrong ? fmt::format("maxmemory-policy is {}: must be noeviction", policy) : "";
            const auto ahead = co_await within(2s, redis::clock_ahead(parts_->shared, system_wall_clock()));
            auto problem = redis::clock_problem(ahead.value_or(0ms));
            if (!problem.empty() && clock_problem_.empty()) log_.error("clocks_differ", {{"error", problem}});
            clock_problem_ = std::move(problem);
        } catch (const system_error& e) {
            if (is_cancelled(e.code()) && stop_.is_stopping()) throw;
            again = 1s; // not connected yet, or again
        }
        co_await sleep_for(again);
    }
}

task<void> app::hurry_on_second_signal() {
    co_await stop_.terminating().wait();
    if (parts_->is_working) parts_->worker.cancel_running("the worker stops now");
}

/// The order: no new jobs; running ones end, or are asked to end and go back to the queue; then whatever they
/// used, users before what they use. Each step has its deadline, also with Redis or PostgreSQL gone, and the
/// guard stands behind all of them.
task<void> app::drain() {
    const auto plan = plan_drain(steady::now(), drain_for_);
    guard_.arm(plan.exit_at);
    parts_->metrics.draining();
    log_.info("draining", {{"reason", stop_.reason()}, {"active", parts_->worker.active()}});

    std::size_t left = 0;
    if (parts_->is_working) {
        parts_->worker.begin_drain();
        const auto finish_by =
            stop_.current() == stop_state::phase::terminating ? steady::now() : plan.cancel_at;
        left = co_await parts_->worker.stop(finish_by, plan.close_at);
        co_await parts_->cancellations.stop();
    }
    status_ = left == 0 ? 0 : 1;
    guard_.set_status(status_);
    if (left != 0)
        log_.error("jobs_left_active", {{"jobs", left}, {"effect", "the stalled check will find them"}});

    parts_->wishes->cancel();
    co_await parts_->wishes->join();
    if (upkeep_) {
        upkeep_->cancel();
        co_await upkeep_->join();
    }
    co_await parts_->fetcher.stop();
    if (parts_->storage) co_await parts_->storage->stop();
    co_await parts_->polite.stop(500ms);
    co_await parts_->shared.stop();
    co_await parts_->caches.stop(500ms);
    co_await parts_->cache.stop();
    co_await parts_->database.stop(500ms);
    if (parts_->status)
        co_await parts_->status->stop(steady::now() + 100ms); // who scrapes keeps its connection open
    log_.info("stopped", {{"status", status_}});
    // A job that did not end in time may still use the parts, so they are not taken apart under it.
    if (left != 0) std::_Exit(status_);
}

void app::write_port_file() const {
    if (settings_.port_file.empty()) return;
    // Written beside and renamed, so that a reader never sees half of it.
    const auto part = settings_.port_file + ".part";
    std::ofstream{part} << "METRICS_PORT=" << parts_->status->port() << '\n';
    if (std::rename(part.c_str(), settings_.port_file.c_str()) != 0)
        throw std::runtime_error("cannot write PORT_FILE " + settings_.port_file);
}

void app::log_state() const {
    const auto s = parts_->fetcher.stats();
    log_.info("state", {{"active", parts_->worker.active()},
                        {"draining", stop_.is_stopping()},
                        {"waiting_for", waiting_for_},
                        {"transfers", s.in_flight},
                        {"fetches_waiting", s.waiting},
                        {"connections_in_use", parts_->database.in_use()}});
}

} // namespace tiktrend::worker
