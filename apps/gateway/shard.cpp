#include "shard.hpp"

#include "json_writer.hpp"
#include "middleware/admission.hpp"
#include "middleware/unavailable.hpp"
#include "middleware/untrusted_proxy.hpp"
#include "query_reader.hpp"
#include "revocations.hpp"
#include "routes/api_keys.hpp"
#include "routes/cache_admin.hpp"
#include "routes/copy.hpp"
#include "routes/job_control.hpp"
#include "routes/jobs.hpp"
#include "routes/list_jobs.hpp"
#include "routes/product_lists.hpp"
#include "routes/products.hpp"
#include "routes/queues.hpp"
#include "routes/schedules.hpp"
#include "routes/sources.hpp"
#include "routes/start_scraping.hpp"
#include "routes/users.hpp"
#include "routes/web.hpp"

#include <tiktrend/http/problem.hpp>
#include <tiktrend/redis/info.hpp>

namespace tiktrend::gateway {
namespace {

/// Producers fail fast: no waiting for a connection. So there has to be one again soon after the server is
/// back, or after a failover, however long that took: within 3 s.
redis::client_options client_options(const logger& log, std::chrono::milliseconds command_timeout) {
    redis::client_options o;
    o.command_timeout = command_timeout;
    o.reconnect_max = std::chrono::seconds{2};
    o.log = log;
    return o;
}

constexpr std::chrono::milliseconds queue_timeout{5000};
/// What a silent cache may cost a request before it goes to the database.
constexpr std::chrono::milliseconds cache_timeout{500};

queue::queue_options queue_options(const config& c) {
    queue::queue_options o;
    o.prefix = c.queue_prefix;
    return o;
}

queue::queue_events::options events_options(const shared_parts& s) {
    queue::queue_events::options o;
    o.prefix = s.settings.queue_prefix;
    o.log = s.log;
    return o;
}

postgres::router_options router_options(const shared_parts& s) {
    postgres::router_options o;
    o.pool.connection.url = s.settings.database_url;
    o.pool.max_size = s.settings.database_pool_size;
    o.pool.acquire_timeout = s.settings.database_acquire_timeout;
    o.pool.log = s.log;
    o.replica_urls = s.settings.replica_urls;
    o.max_lag = s.settings.replica_max_lag;
    o.log = s.log;
    return o;
}

/// URLs were checked by read_config's schemes; what else is wrong with them is found here, before anything
/// starts.
redis::address address_of(const std::string& url) {
    return redis::parse_url(url).value();
}

/// When a key was last used is worth a moment of the primary, not its absence.
task<void> note_use(catalog::api_key_store& keys, const std::string& id) {
    try {
        co_await within(std::chrono::milliseconds{500}, keys.touch(id));
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
    }
}

task<std::optional<principal>> find_key(catalog::api_key_store& keys, std::string text, bool may_write) {
    const auto key = co_await keys.verify(text);
    if (!key) co_return std::nullopt;
    if (may_write) co_await note_use(keys, key->id);
    principal who;
    who.id = "user:" + std::to_string(key->user_id);
    who.credential = "key:" + key->id;
    who.user_id = key->user_id;
    who.expires_ms = key->expires_ms;
    for (auto& name : key->scopes.names())
        who.scopes.insert(std::move(name));
    co_return who;
}

idempotency_options idempotency_options_of(const config& c) {
    idempotency_options o;
    o.longest = c.http.handler_timeout + std::chrono::seconds{30};
    o.kept = c.idempotency_ttl;
    return o;
}

/// Guessing is limited by address: from where too many were wrong only tokens are looked up that were good
/// lately. Tokens that were good a moment ago do not come here.
task<std::optional<principal>> identify(catalog::api_key_store& keys, token_verifier& tokens,
                                        rate_limiter& limiter, recent_tokens& good, rate_policy failed,
                                        bool may_write, std::string token, std::string address) {
    const auto from = subscriber_of(address);
    if (!good.contains(token))
        if (const auto d = co_await limiter.look(failed, from); !d.allowed) throw rate_limited(failed, d);
    auto found = access::looks_like_jwt(token) ? co_await tokens.find(token)
                                               : co_await find_key(keys, token, may_write);
    if (found) {
        good.add(token);
    } else {
        good.remove(token);
        co_await limiter.take(failed, from);
    }
    co_return found;
}

product_cache::followers followers_of(authenticator& access) {
    product_cache::followers f;
    f.on_changed = [&access](std::string_view guard) {
        if (const auto id = revoked_key_of(guard)) access.end("key:" + std::string{*id});
    };
    f.on_all_changed = [&access] { access.forget_all(); };
    return f;
}

task<void> ping(redis::client& redis) {
    const auto reply = co_await redis.exec(redis::command{"PING"});
    if (reply.is_error()) throw std::runtime_error(std::string{reply.text()});
}

/// A Redis that may evict loses jobs without a word. Servers that do not tell (INFO refused) pass.
task<void> expect_noeviction(redis::client& redis) {
    const redis::command ask{"INFO", "memory"};
    const auto answer = co_await redis.exec(ask);
    const auto policy = answer.is_error() ? std::string_view{} : redis::eviction_policy(answer.text());
    if (!policy.empty() && policy != "noeviction")
        throw std::runtime_error("maxmemory-policy is " + std::string{policy} + ": must be noeviction");
}

/// Servers that do not tell pass.
task<void> expect_same_time(redis::client& redis) {
    const auto ahead = co_await redis::clock_ahead(redis, system_wall_clock());
    if (auto problem = redis::clock_problem(ahead.value_or(std::chrono::milliseconds{0})); !problem.empty())
        throw std::runtime_error(problem);
}

task<void> select_one(postgres::pool& pool) {
    co_await pool.query("SELECT 1");
}

} // namespace

shard::shard(shared_parts& shared, bool is_first)
    : shared_{shared}, queue_redis_{context_.get_executor(), address_of(shared.settings.redis_queue_url),
                                    client_options(shared.log, queue_timeout)},
      cache_redis_{context_.get_executor(), address_of(shared.settings.redis_cache_url),
                   client_options(shared.log, cache_timeout)},
      jobs_{queue_redis_, shared.settings.queue_name, queue_options(shared.settings)},
      events_{queue_redis_, shared.settings.queue_name, jobs_.key_base(), events_options(shared)},
      definitions_{context_.get_executor(), shared.definitions, shared.settings.sources_refresh.count() == 0},
      database_{context_.get_executor(), router_options(shared)}, products_{database_}, trends_{database_},
      keys_{database_}, users_{database_}, usage_{database_},
      tokens_{context_.get_executor(), shared.settings.jwt, users_, shared.log},
      limiter_{cache_redis_, shared.settings.limits, shared.metrics, shared.log},
      access_{[this](std::string token, std::string address) {
          return identify(keys_, tokens_, limiter_, good_tokens_, shared_.settings.limits.failed_auth,
                          !shared_.settings.region.is_replica, std::move(token), std::move(address));
      }},
      cache_{cache_redis_, shared.settings, shared.metrics, shared.log, followers_of(access_)},
      quotas_{context_.get_executor(), usage_,         cache_.answers(), cache_redis_,
              shared.settings.quotas,  shared.metrics, shared.log},
      copies_{context_.get_executor(), shared.settings.copy,
              cache_.answers(),        quotas_,
              shared.metrics,          shared.log},
      outbox_{database_, shared.settings.queue_prefix + ':' + shared.settings.queue_name},
      intake_{context_.get_executor(), jobs_,     outbox_, shared.settings.enqueue, is_first,
              shared.metrics,          shared.log},
      forwarder_{shared.settings.region.is_replica
                     ? std::make_unique<forwarder>(context_.get_executor(), shared.settings.region,
                                                   shared.metrics, shared.log)
                     : nullptr},
      idempotency_{queue_redis_, shared.metrics, shared.log, idempotency_options_of(shared.settings)},
      health_{context_.get_executor(), dependencies(), shared.draining, shared.was_ready,
              [this] { return R"("region":)" + describe_region(); }},
      http_metrics_{shared.metrics}, cursors_{shared.settings.cursor_secret} {}

/// What a replica region cannot do by itself it does not need to be ready.
std::vector<health::dependency> shard::dependencies() {
    std::vector<health::dependency> out;
    if (shared_.settings.region.is_replica) {
        out.push_back({"primary_region", false, [this] { return forwarder_->probe(); }});
        out.push_back({"redis_cache", false, [this] { return ping(cache_redis_); }});
        out.push_back({"postgresql", true, [this] { return select_one(*database_.read().where); }});
    } else {
        out.push_back({"redis_queue", true, [this] { return ping(queue_redis_); }});
        out.push_back(
            {"redis_queue_noeviction", false, [this] { return expect_noeviction(queue_redis_); }, false});
        out.push_back({"clock", false, [this] { return expect_same_time(queue_redis_); }, false});
        out.push_back({"redis_cache", false, [this] { return ping(cache_redis_); }});
        out.push_back({"postgresql", true, [this] { return select_one(database_.write()); }});
    }
    out.push_back({"source_definitions", true, [this] { return definitions_.wait_complete(); }, false});
    return out;
}

std::string shard::describe_region() const {
    const auto& region = shared_.settings.region;
    std::string replicas = "[";
    for (const auto& r : database_.replicas()) {
        if (replicas.size() > 1) replicas += ',';
        json_object_writer w;
        w.json("serving", r.is_serving ? "true" : "false");
        w.integer("lag_ms", r.lag.count());
        w.integer("lag_bytes", r.lag_bytes);
        replicas += w.take();
    }
    json_object_writer w;
    w.text("name", region.name);
    w.text("role", region.is_replica ? "replica" : "primary");
    w.json("replicas", replicas + ']');
    return w.take();
}

std::shared_ptr<const http::router> shard::make_routes() {
    auto routes = std::make_shared<http::router>();
    using http::method;
    if (const auto& cors = shared_.settings.cors; !cors.origins.empty()) routes->use(allow_origins(cors));
    routes->use(warn_of_untrusted_proxy(shared_.log));
    routes->use(unavailable_as_503(shared_.log));
    routes->use(admit_at_most(shared_.settings.max_in_flight, shared_.metrics));
    if (forwarder_) routes->use(forwarder_->forward_others());
    const auto& limits = shared_.settings.limits;
    add_scraping_routes(*routes);
    routes->add(method::get, "/products",
                guarded("read", limits.read, list_products(products_, cache_, cursors_)));
    routes->add(method::get, "/products/trending",
                guarded("read", limits.read, get_trending(trends_, cache_, shared_.settings.trending_ttl)));
    routes->add(method::get, "/products/{id}/history",
                guarded("read", limits.read, get_product_history(products_, cache_, cursors_)));
    routes->add(
        method::get, "/categories",
        guarded("read", limits.read, list_categories(products_, cache_, shared_.settings.categories_ttl)));
    routes->add(method::get, "/products/{id}",
                guarded("read", limits.read, get_product(products_, cache_, cursors_)));
    routes->add(method::post, "/copy",
                guarded("copy", limits.copy, without_query(write_copy(products_, cache_, copies_))));
    add_account_routes(*routes);
    add_admin_routes(*routes);
    add_web_routes(*routes);
    routes->add(method::get, "/health", health_.all());
    routes->add(method::get, "/health/live", health_.live());
    routes->add(method::get, "/health/ready", health_.ready());
    routes->add(method::get, "/health/serving", health_.serving());
    return routes;
}

void shard::add_scraping_routes(http::router& routes) {
    using http::method;
    const auto& l = shared_.settings.limits;
    const auto& defaults = shared_.settings.job_defaults;
    const auto& definitions = definitions_;
    routes.add(
        method::post, "/scraping/start",
        guarded("scrape", l.scrape,
                without_query(idempotency_.once(start_scraping(intake_, definitions, defaults, quotas_)))));
    routes.add(method::post, "/scraping/batch",
               guarded("scrape", l.scrape,
                       without_query(idempotency_.once(
                           start_scraping_batch(intake_, definitions, defaults, quotas_)))));
    routes.add(method::get, "/scraping/jobs", guarded("scrape", l.job_lists, list_jobs(jobs_, cursors_)));
    routes.add(method::get, "/scraping/jobs/{id}",
               guarded("scrape", l.read, get_job(jobs_, database_, cursors_, shared_.log)));
    routes.add(method::delete_, "/scraping/jobs/{id}",
               guarded("scrape", l.scrape, without_query(cancel_job(jobs_, intake_))));
    routes.add(method::get, "/scraping/jobs/{id}/events",
               guarded("scrape", l.job_lists, get_job_events(jobs_, queue_redis_, events_, access_)));
    routes.add(method::post, "/scraping/jobs/{id}/retry",
               guarded("scrape", l.scrape, without_query(retry_job(jobs_, quotas_))));
    routes.add(method::get, "/scraping/schedules", guarded("scrape", l.read, list_schedules(jobs_)));
    routes.add(method::get, "/scraping/schedules/{id}", guarded("scrape", l.read, get_schedule(jobs_)));
    routes.add(method::put, "/scraping/schedules/{id}",
               guarded("scrape", l.scrape, put_schedule(jobs_, definitions, defaults, quotas_)));
    routes.add(method::delete_, "/scraping/schedules/{id}",
               guarded("scrape", l.scrape, delete_schedule(jobs_)));
    routes.add(method::get, "/sources", guarded("read", l.read, list_sources(definitions)));
    routes.add(method::get, "/sources/{id}", guarded("read", l.read, get_source(definitions)));
}

void shard::add_admin_routes(http::router& routes) {
    using http::method;
    const auto& l = shared_.settings.limits;
    routes.add(method::get, "/queues", guarded("metrics", l.read, list_queues(jobs_)));
    routes.add(method::get, "/queues/{name}", guarded("metrics", l.read, get_queue(jobs_)));
    routes.add(method::post, "/queues/{name}/pause", guarded("admin", l.admin, pause_queue(jobs_)));
    routes.add(method::post, "/queues/{name}/resume", guarded("admin", l.admin, resume_queue(jobs_)));
    routes.add(method::post, "/queues/{name}/clean", guarded("admin", l.admin, clean_queue(jobs_, intake_)));
    routes.add(method::post, "/queues/{name}/retry-failed",
               guarded("admin", l.admin, retry_failed_jobs(jobs_)));
    routes.add(method::post, "/queues/{name}/promote",
               guarded("admin", l.admin, promote_delayed_jobs(jobs_)));
    routes.add(method::get, "/autoscaling/queue-depth", guarded("metrics", l.read, autoscaling_depth(jobs_)));
    routes.add(method::delete_, "/cache/{scope}",
               guarded("admin", l.admin, clear_cache(cache_redis_, database_)));
}

http::handler shard::guarded(std::string scope, const rate_policy& limit, http::handler h) {
    return access_.require(std::move(scope), limiter_.limit(limit, std::move(h)));
}

void shard::add_account_routes(http::router& routes) {
    using http::method;
    const auto& l = shared_.settings.limits;
    routes.add(method::post, "/users",
               guarded("admin", l.admin, without_query(idempotency_.once(create_user(users_)))));
    routes.add(method::get, "/users/me", guarded("", l.account, without_query(get_me(users_))));
    routes.add(method::get, "/users/me/quota", guarded("", l.account, without_query(get_my_quota(quotas_))));
    routes.add(method::post, "/api-keys",
               guarded("", l.account, without_query(create_api_key(keys_, users_))));
    routes.add(method::get, "/api-keys", guarded("", l.account, list_api_keys(keys_)));
    routes.add(method::delete_, "/api-keys/{id}",
               guarded("", l.account, revoke_api_key(keys_, cache_redis_)));
}

void shard::start(std::uint16_t port) {
    auto options = shared_.settings.http;
    options.port = port;
    options.reuse_port = true;
    options.log = shared_.log;
    options.tls = shared_.certificates;
    options.on_finished = [this](const http::server_options::finished& f) {
        http_metrics_.record(f);
        if (shared_.settings.access_log) write_access_log(shared_.log, f);
    };
    server_ = std::make_unique<http::server>(context_.get_executor(), make_routes(), std::move(options));
    server_->start();
    if (!forwarder_) queue_redis_.start(); // the queue is the primary region's
    cache_redis_.start();
    tokens_.start();
    database_.start();
    cache_.start();
    if (!forwarder_) intake_.start();
}

task<void> shard::announce_queue(std::chrono::milliseconds limit) {
    co_await queue_redis_.wait_connected(limit);
    co_await jobs_.initialize();
    try {
        co_await expect_noeviction(queue_redis_);
    } catch (const system_error&) {
        throw;
    } catch (const std::runtime_error& e) {
        shared_.log.error(
            "wrong_eviction_policy",
            {{"server", "queue"}, {"error", e.what()}, {"effect", "jobs can vanish when memory runs out"}});
    }
    const auto ahead = co_await redis::clock_ahead(queue_redis_, system_wall_clock());
    if (const auto problem = redis::clock_problem(ahead.value_or(std::chrono::milliseconds{0}));
        !problem.empty())
        shared_.log.error("clocks_differ", {{"error", problem}});
}

task<void> shard::stop(std::chrono::steady_clock::time_point deadline) {
    // Requests first, then what they use: senders stop before receivers.
    co_await server_->stop(deadline);
    co_await events_.stop();
    co_await tokens_.stop();
    co_await copies_.stop();
    co_await intake_.stop();
    co_await quotas_.stop();
    co_await cache_.stop();
    co_await database_.stop();
    co_await queue_redis_.stop();
    co_await cache_redis_.stop();
}

task<shard_report> shard::report() {
    shard_report r;
    r.seen = access_.take_seen();
    co_await quotas_.flush_within(std::chrono::milliseconds{250}); // a scrape of the metrics waits for it
    r.pool_in_use = database_.in_use();
    r.pool_idle = database_.idle();
    r.pool_waiting = database_.waiting();
    r.connections = server_->connections();
    r.requests_in_flight = server_->requests_in_flight();
    co_return r;
}

} // namespace tiktrend::gateway
