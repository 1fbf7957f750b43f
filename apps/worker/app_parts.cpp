#include "app_parts.hpp"

#include "jobs/mirror_images.hpp"
#include "jobs/refresh_trends.hpp"
#include "jobs/scrape_products.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t metrics_minutes = 7 * 24 * 60; ///< of BullMQ's own counters, which the gateway exports

constexpr std::chrono::milliseconds queue_pause{2000}; ///< of a job that could not ask the queue's Redis

/// Not what stays as it is until somebody changes a setting.
bool is_away(const error_code& e) noexcept {
    using redis::errc;
    return e == errc::not_connected || e == errc::connection_lost || e == errc::timed_out ||
           e == errc::too_many_waiting || e == errc::not_ready || e == errc::refused;
}

std::string worker_name(const config& settings) {
    if (!settings.worker_name.empty()) return settings.worker_name;
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) host = {'w', 'o', 'r', 'k', 'e', 'r'};
    return fmt::format("{}-{}", host.data(), ::getpid());
}

postgres::router_options database_options(const config& settings, const logger& log) {
    postgres::router_options o;
    o.pool.connection.url = settings.database_url;
    o.pool.connection.application_name = "tiktrend-worker";
    o.pool.max_size = settings.database_pool_size;
    o.pool.acquire_timeout = settings.database_acquire_timeout;
    o.pool.log = log;
    o.log = log;
    return o;
}

redis::client_options cache_options(const logger& log) {
    redis::client_options o;
    o.client_name = "tiktrend-worker";
    o.command_timeout = 1000ms; // a cache is not worth more
    o.log = log;
    return o;
}

redis::client_options shared_options(const logger& log) {
    redis::client_options o;
    o.client_name = "tiktrend-worker";
    o.command_timeout = 2000ms;
    o.reconnect_max = 2000ms;     // as soon as the worker itself, about: its jobs ask here
    o.wait_for_connection = true; // a fleet-wide rule is worth a short wait
    o.log = log;
    return o;
}

shared_politeness_options politeness_options(const config& settings, worker_metrics& metrics,
                                             const logger& log) {
    shared_politeness_options o;
    o.lease = settings.fetch.slot_timeout + settings.fetch.total_timeout + 30s; // a permit is held that long
    o.on_fallback = [&metrics] { metrics.politeness_not_shared(); };
    o.log = log;
    return o;
}

robots_gate_options robots_options(const config& settings, worker_metrics& metrics, const logger& log) {
    robots_gate_options o;
    o.product = product_token(settings.fetch.user_agent);
    o.on_fetch = [&metrics](std::string_view result) { metrics.robots_fetched(result); };
    o.log = log;
    return o;
}

fetch::client_options fetch_options(const config& settings, const logger& log) {
    auto o = settings.fetch;
    o.log = log;
    return o;
}

queue::queue_options queue_options(const config& settings) {
    queue::queue_options o;
    o.prefix = settings.queue_prefix;
    return o;
}

sources::registry_options definition_options(const config& settings) {
    sources::registry_options o;
    o.input_defaults = settings.source_defaults;
    return o;
}

proxy_pool::options proxy_options(const logger& log) {
    proxy_pool::options o;
    o.log = log;
    return o;
}

std::unique_ptr<fetch::s3_client> make_storage(const asio::any_io_executor& ex, const config& settings,
                                               const logger& log) {
    if (!settings.images) return nullptr;
    auto o = settings.images->storage;
    o.ca_file = settings.fetch.ca_file;
    o.log = log;
    return std::make_unique<fetch::s3_client>(ex, o);
}

catalog::product_store_options store_options(const logger& log) {
    catalog::product_store_options o;
    o.log = log;
    return o;
}

} // namespace

app::parts::parts(app& owner, const config& s, const logger& log)
    : executor{owner.context_.get_executor()},
      metrics{owner.metrics_registry_,
              s.queue_name,
              {std::string{scrape_products::name}, std::string{mirror_images::name},
               std::string{refresh_trends::name}},
              s.concurrency},
      database{executor, database_options(s, log)},
      cache{executor, *redis::parse_url(s.redis_cache_url), cache_options(log)},
      shared{executor, *redis::parse_url(s.redis_queue_url), shared_options(log)},
      fetcher{executor, fetch_options(s, log)}, polite{shared, *random, politeness_options(s, metrics, log)},
      robots{fetcher, polite, cache, system_wall_clock(), robots_options(s, metrics, log)},
      products{database, store_options(log)}, pages{database}, health{database}, stored_definitions{database},
      images{database}, old_rows{database}, trends{database_options(s, log).pool.connection},
      definitions{std::move(owner.definitions_), definition_options(s), stored_definitions, log},
      proxies{s.proxies, system_wall_clock(), proxy_options(log)}, storage{make_storage(executor, s, log)},
      queue_of_jobs{shared, s.queue_name, queue_options(s)},
      caches{cache, [this] { return database.position(); }, metrics, log},
      quota{database, cache, s.scrape_quota, owner.metrics_registry_, log},
      services{s,     definitions, queue_of_jobs, fetcher, polite,  robots,  products,
               pages, health,      proxies,       caches,  metrics, *random, system_wall_clock(),
               log},
      worker{executor, *redis::parse_url(s.redis_queue_url), s.queue_name,
             [this](queue::active_job& job) { return run(job); }, job_options(s, log)},
      cancellations{executor,
                    *redis::parse_url(s.redis_queue_url),
                    s.queue_name,
                    [this](std::string_view id, std::string_view why) {
                        if (worker.cancel(id, std::string{why})) cancelled.emplace(id);
                    },
                    s.queue_prefix,
                    log},
      wishes{std::make_unique<task_group>(executor)} {
    jobs.add(scrape_products::name,
             [run = scrape_products{executor, services, quota}](queue::active_job& job) { return run(job); });
    jobs.add(mirror_images::name, [run = mirror_images{services, storage.get(), images}](
                                      queue::active_job& job) { return run(job); });
    jobs.add(refresh_trends::name,
             [run = refresh_trends{services, trends, old_rows}](queue::active_job& job) { return run(job); });
}

task<std::string> app::parts::run_wanted(queue::active_job& job) {
    const auto& record = job.record();
    if (record.attempts_started > 1) // nobody could ask for more than removal before it had begun
        if (const auto reason = co_await queue::kept_cancellation(queue_of_jobs, record.id)) {
            cancelled.insert(record.id);
            throw queue::unrecoverable_error{*reason};
        }
    co_return co_await jobs.run(job);
}

/// A Redis that was away for a moment is no fault of the job: it waits without spending an attempt.
task<std::string> app::parts::run(queue::active_job& job) {
    try {
        co_return co_await run_wanted(job);
    } catch (const system_error& e) {
        if (!is_away(e.code())) throw;
        throw queue::delayed_error{services.clock.now_ms() + queue_pause.count(),
                                   fmt::format("the queue's Redis is not available: {}", e.what())};
    }
}

/// Somebody may try the job again. What cannot be forgotten ends by itself.
task<void> app::parts::forget_wish(std::string id) {
    try {
        co_await queue::forget_cancellation(queue_of_jobs, id);
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        services.log.debug("cancellation_not_forgotten", {{"job_id", id}, {"error", e.what()}});
    }
}

queue::worker_options app::parts::job_options(const config& s, const logger& log) {
    queue::worker_options o;
    o.prefix = s.queue_prefix;
    o.name = worker_name(s);
    o.concurrency = s.concurrency;
    o.lock_duration = s.lock_duration;
    o.stalled_interval = s.stalled_interval;
    o.max_stalled_count = s.max_stalled_count;
    o.drain_delay = s.drain_delay;
    o.remove_on_complete = queue::keep_policy::newest(s.keep_completed);
    o.remove_on_fail = queue::keep_policy::newest(s.keep_failed);
    o.metrics_max_data_points = metrics_minutes;
    o.random = random;
    o.log = log;
    o.on_outcome = [this, log](const queue::worker_options::outcome& done) {
        metrics.job_ended(done);
        using kind = queue::worker_options::outcome::kind;
        if (cancelled.erase(done.job.id) > 0 && done.what == kind::failed)
            wishes->spawn("forget wish", forget_wish(done.job.id));
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(done.elapsed).count();
        if (done.what == kind::completed)
            log.info("job_completed",
                     {{"job_id", done.job.id}, {"name", done.job.name}, {"duration_ms", ms}});
        else
            log.warn("job_not_completed", {{"job_id", done.job.id},
                                           {"name", done.job.name},
                                           {"outcome", name_of(done.what)},
                                           {"reason", done.reason},
                                           {"duration_ms", ms}});
    };
    o.on_stalled = [this](std::size_t n) { metrics.stalled(n); };
    return o;
}

} // namespace tiktrend::worker
