#include "config.hpp"

#include <tiktrend/base/random.hpp>
#include <tiktrend/catalog/quota_setting.hpp>
#include <tiktrend/http/upstream.hpp>
#include <tiktrend/report/dsn.hpp>
#include <tiktrend/sources/registry.hpp>

#include <algorithm>
#include <charconv>
#include <thread>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::initializer_list<std::string_view> redis_schemes{
    "redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"};

http::server_options read_http(config_reader& r) {
    http::server_options o;
    o.address = r.text("GATEWAY_ADDRESS", "127.0.0.1");
    o.port = static_cast<std::uint16_t>(r.integer("GATEWAY_PORT", 8080, 0, 65'535));
    o.max_body_bytes = static_cast<std::size_t>(r.bytes("HTTP_MAX_BODY", 1 << 20, 1024, 64 << 20));
    o.max_bodies_bytes =
        static_cast<std::size_t>(r.bytes("HTTP_MAX_BODIES", 32 << 20, 1 << 20, std::int64_t{16} << 30));
    o.header_timeout = r.duration("HTTP_HEADER_TIMEOUT", 10s, 100ms, 5min);
    o.body_timeout = r.duration("HTTP_BODY_TIMEOUT", 30s, 100ms, 10min);
    o.idle_timeout = r.duration("HTTP_IDLE_TIMEOUT", 75s, 1s, 1h);
    o.handler_timeout = r.duration("HTTP_HANDLER_TIMEOUT", 30s, 100ms, 10min);
    o.max_connections = static_cast<std::size_t>(r.integer("HTTP_MAX_CONNECTIONS", 10'000, 1, 1'000'000));
    o.max_connections_per_address =
        static_cast<std::size_t>(r.integer("HTTP_MAX_CONNECTIONS_PER_ADDRESS", 100, 0, 1'000'000));
    o.trusted_proxies = r.list("TRUSTED_PROXIES", "");
    o.proxy_protocol = r.flag("PROXY_PROTOCOL", false);
    if (o.proxy_protocol && o.trusted_proxies.empty())
        r.fail("PROXY_PROTOCOL", "true", "TRUSTED_PROXIES with the balancer's addresses beside it");
    return o;
}

queue::job_options read_job_defaults(config_reader& r) {
    queue::job_options o;
    o.priority = static_cast<std::int32_t>(r.integer("JOB_PRIORITY", 5, 0, 2'097'151));
    o.attempts = static_cast<std::int32_t>(r.integer("JOB_ATTEMPTS", 3, 1, 100));
    queue::backoff_options backoff;
    backoff.type = "exponential";
    backoff.delay = r.duration("JOB_BACKOFF", 2s, 0ms, 24h);
    o.backoff = backoff;
    o.remove_on_complete = queue::keep_policy::newest(r.integer("JOB_KEEP_COMPLETED", 1000, 0, 10'000'000));
    o.remove_on_fail = queue::keep_policy::newest(r.integer("JOB_KEEP_FAILED", 5000, 0, 10'000'000));
    return o;
}

quota_limits read_quotas(config_reader& r) {
    quota_limits q;
    q.standard = {catalog::read_daily_quota(r, "QUOTA_SCRAPES", catalog::default_scrape_quota),
                  catalog::read_daily_quota(r, "QUOTA_COPIES", "200")};
    return q;
}

void read_rate_limit(config_reader& r, std::string_view name, std::string_view fallback, rate_policy& out) {
    const auto text = r.text(name, fallback);
    if (text == "off") return;
    out.limit = parse_rate_limit(text);
    if (!out.limit) r.fail(name, text, "REQUESTS/WINDOW such as 600/1m, or off");
}

rate_limits read_rate_limits(config_reader& r) {
    rate_limits l;
    read_rate_limit(r, "RATE_LIMIT_READ", "12000/1m", l.read);
    read_rate_limit(r, "RATE_LIMIT_SCRAPE", "1200/1m", l.scrape);
    read_rate_limit(r, "RATE_LIMIT_JOB_LISTS", "600/1m", l.job_lists);
    read_rate_limit(r, "RATE_LIMIT_COPY", "120/1m", l.copy);
    read_rate_limit(r, "RATE_LIMIT_ACCOUNT", "300/1m", l.account);
    read_rate_limit(r, "RATE_LIMIT_ADMIN", "1200/1m", l.admin);
    read_rate_limit(r, "RATE_LIMIT_FAILED_AUTH", "60/1m", l.failed_auth);
    l.closed_without_redis = r.one_of("RATE_LIMIT_WITHOUT_REDIS", "open", {"open", "closed"}) == "closed";
    return l;
}

jwt_settings read_jwt(config_reader& r) {
    jwt_settings j;
    j.jwks = r.text("JWT_JWKS", "");
    j.jwks_refresh = r.duration("JWT_JWKS_REFRESH", 5min, 1s, 24h);
    j.jwks_min_interval = r.duration("JWT_JWKS_MIN_INTERVAL", 30s, 100ms, 1h);
    j.jwks_ca_file = r.text("JWT_JWKS_CA_FILE", "");
    j.rules.hs256_secret = r.secret("JWT_HS256_SECRET");
    j.rules.issuer = r.text("JWT_ISSUER", "");
    j.rules.audience = r.text("JWT_AUDIENCE", "");
    j.rules.scope_claim = r.text("JWT_SCOPE_CLAIM", "scope");
    j.rules.leeway =
        std::chrono::duration_cast<std::chrono::seconds>(r.duration("JWT_LEEWAY", 60s, 0ms, 10min));
    if (!j.rules.hs256_secret.empty() && j.rules.hs256_secret.size() < 32)
        r.fail("JWT_HS256_SECRET", "***", "at least 32 bytes (RFC 7518 section 3.2)");
    // Otherwise a token that the issuer made for another service would open this one.
    if (j.is_on() && j.rules.issuer.empty())
        r.fail("JWT_ISSUER", "", "the \"iss\" of tokens that are believed");
    if (j.is_on() && j.rules.audience.empty())
        r.fail("JWT_AUDIENCE", "", "the \"aud\" of tokens that are meant for this service");
    return j;
}

copy_settings read_copy(config_reader& r) {
    copy_settings c;
    c.base_url = r.text("COPY_BASE_URL", "");
    c.model = r.text("COPY_MODEL", "");
    c.api_key = r.secret("COPY_API_KEY");
    c.ca_file = r.text("COPY_CA_FILE", "");
    c.timeout = r.duration("COPY_TIMEOUT", 2500ms, 100ms, 9s);
    c.stream_timeout = r.duration("COPY_STREAM_TIMEOUT", 9s, 100ms, 9500ms);
    c.attempts = static_cast<int>(r.integer("COPY_ATTEMPTS", 2, 1, 10));
    c.retry_budget = r.number("COPY_RETRY_BUDGET", 0.2, 0, 1);
    c.breaker_failures = static_cast<int>(r.integer("COPY_BREAKER_FAILURES", 5, 1, 1000));
    c.breaker_pause = r.duration("COPY_BREAKER_PAUSE", 10s, 100ms, 10min);
    c.ttl = r.duration("CACHE_COPY_TTL", 24h, 1s, 30 * 24h);
    c.max_tokens = static_cast<int>(r.integer("COPY_MAX_TOKENS", 600, 16, 8192));
    c.max_concurrent = static_cast<std::size_t>(r.integer("COPY_MAX_CONCURRENT", 32, 1, 1000));
    if (c.is_on() && !http::parse_origin(c.base_url))
        r.fail("COPY_BASE_URL", c.base_url, "http://HOST[:PORT][/PATH] or https://…, without user and query");
    if (c.is_on() && c.model.empty()) r.fail("COPY_MODEL", "", "a model of the endpoint COPY_BASE_URL");
    return c;
}

enqueue_settings read_enqueue(config_reader& r) {
    enqueue_settings e;
    const auto how = r.one_of("ENQUEUE_DURABILITY", "local", {"local", "replicated", "outbox"});
    e.how = how == "outbox"       ? durability::outbox
            : how == "replicated" ? durability::replicated
                                  : durability::local;
    e.replicas = static_cast<int>(r.integer("ENQUEUE_REPLICAS", 1, 1, 10));
    e.replica_timeout = r.duration("ENQUEUE_REPLICA_TIMEOUT", 500ms, 10ms, 10s);
    e.outbox_wait = r.duration("OUTBOX_WAIT", 250ms, 0ms, 10s);
    e.relay_interval = r.duration("OUTBOX_RELAY_INTERVAL", 1s, 10ms, 1min);
    e.outbox_recheck = r.duration("OUTBOX_RECHECK", 30s, 100ms, 10min);
    e.max_backlog = r.integer("ENQUEUE_MAX_BACKLOG", 200'000, 0, 1'000'000'000);
    return e;
}

region_settings read_region(config_reader& r) {
    region_settings g;
    g.is_replica = r.one_of("GATEWAY_ROLE", "primary", {"primary", "replica"}) == "replica";
    g.name = r.text("REGION", "main");
    g.primary_url = r.text("PRIMARY_URL", "");
    g.ca_file = r.text("PRIMARY_CA_FILE", "");
    g.timeout = r.duration("PRIMARY_TIMEOUT", 20s, 100ms, 5min);
    if (g.name.empty() || g.name.size() > 40 ||
        g.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
        r.fail("REGION", g.name, "1 to 40 lower-case letters, digits and '-'");
    if (g.is_replica && !http::parse_origin(g.primary_url))
        r.fail("PRIMARY_URL", g.primary_url,
               "http://HOST[:PORT] or https://… of the primary region's gateway");
    return g;
}

cors_settings read_cors(config_reader& r) {
    cors_settings c;
    c.origins = r.list("CORS_ORIGINS", "");
    c.max_age = std::chrono::duration_cast<std::chrono::seconds>(r.duration("CORS_MAX_AGE", 10min, 0ms, 24h));
    for (const auto& o : c.origins)
        if (!is_cors_origin(o)) r.fail("CORS_ORIGINS", o, "scheme://host[:port] in lower case, or *");
    return c;
}

void read_certificates(config_reader& r, config& c) {
    c.certificates = {r.text("TLS_CERT_FILE", ""), r.text("TLS_KEY_FILE", "")};
    c.certificates_interval = r.duration("TLS_RELOAD_INTERVAL", 10s, 100ms, 1h);
    if (c.certificates.chain.empty() != c.certificates.key.empty())
        r.fail("TLS_KEY_FILE", c.certificates.key, "TLS_CERT_FILE and TLS_KEY_FILE together, or neither");
}

} // namespace

config read_config(config_reader& r) {
    config c;
    c.http = read_http(r);
    c.metrics_address = r.text("METRICS_ADDRESS", "127.0.0.1");
    c.metrics_port = static_cast<std::uint16_t>(r.integer("METRICS_PORT", 9090, 0, 65'535));
    c.port_file = r.text("PORT_FILE", "");
    const auto cores = std::max(1U, std::thread::hardware_concurrency());
    c.threads = static_cast<std::size_t>(r.integer("GATEWAY_THREADS", cores, 1, 256));

    c.redis_queue_url = r.url("REDIS_QUEUE_URL", "redis://127.0.0.1:6379/0", redis_schemes);
    // No cluster: the near cache follows what one server says of its keys.
    c.redis_cache_url = r.url("REDIS_CACHE_URL", "redis://127.0.0.1:6380/0",
                              {"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel"});
    c.database_url = r.url("DATABASE_URL", "postgresql://127.0.0.1/tiktrend", {"postgresql", "postgres"});
    c.replica_urls = r.urls("DATABASE_REPLICA_URLS", {"postgresql", "postgres"});
    c.replica_max_lag = r.duration("DATABASE_REPLICA_MAX_LAG", 2s, 100ms, 10min);
    c.database_pool_size = static_cast<std::size_t>(r.integer("DATABASE_POOL_SIZE", 8, 1, 1000));
    c.database_acquire_timeout = r.duration("DATABASE_ACQUIRE_TIMEOUT", 2s, 10ms, 60s);

    c.queue_prefix = r.text("QUEUE_PREFIX", "bull");
    c.queue_name = r.text("QUEUE_NAME", "scraping");
    if (c.queue_name.find(':') != std::string::npos) r.fail("QUEUE_NAME", c.queue_name, "a name without ':'");
    c.metrics_queues = r.list("METRICS_QUEUES", "");
    constexpr std::size_t most_queues = 100;
    for (const auto& name : c.metrics_queues)
        if (name.empty() || name.find(':') != std::string::npos || c.metrics_queues.size() > most_queues)
            r.fail("METRICS_QUEUES", name, "up to 100 names of queues, without ':'");
    c.job_defaults = read_job_defaults(r);
    c.sources_dir = r.text("SOURCES_DIR", "apps/worker/sources");
    c.sources_refresh = r.duration("SOURCES_REFRESH", 30s, 0ms, 24h);
    if (auto defaults = sources::parse_input_defaults(r.list("SOURCE_DEFAULTS", "")))
        c.source_defaults = std::move(*defaults);
    else
        r.fail("SOURCE_DEFAULTS", defaults.error(), "comma separated SOURCE.INPUT=VALUE entries");

    c.quotas = read_quotas(r);
    c.limits = read_rate_limits(r);
    c.jwt = read_jwt(r);
    c.copy = read_copy(r);
    c.enqueue = read_enqueue(r);
    if (c.enqueue.how == durability::replicated && c.redis_queue_url.find("+cluster://") != std::string::npos)
        r.fail("ENQUEUE_DURABILITY", "replicated", "local or outbox with a Redis Cluster");
    if (c.enqueue.how == durability::outbox && c.job_defaults.remove_on_fail == queue::keep_policy::newest(0))
        r.fail("JOB_KEEP_FAILED", "0",
               "1 or more with ENQUEUE_DURABILITY=outbox, which adds jobs again that it cannot find");
    c.region = read_region(r);
    c.cors = read_cors(r);
    read_certificates(r, c);
    c.max_in_flight = static_cast<std::size_t>(r.integer("HTTP_MAX_IN_FLIGHT", 2000, 0, 1'000'000));
    c.idempotency_ttl = r.duration("IDEMPOTENCY_TTL", 24h, 1min, 7 * 24h);
    c.products_ttl = r.duration("CACHE_PRODUCTS_TTL", 1h, 1s, 24h);
    c.categories_ttl = r.duration("CACHE_CATEGORIES_TTL", 7 * 24h, 1s, 30 * 24h);
    c.trending_ttl = r.duration("CACHE_TRENDING_TTL", 5min, 1s, 24h);
    c.stale_for = r.duration("CACHE_STALE_FOR", 24h, 0ms, 30 * 24h);
    c.max_uncached_loads = static_cast<std::size_t>(r.integer("CACHE_MAX_UNCACHED_LOADS", 64, 1, 10'000));
    c.near_cache_bytes = r.bytes("NEAR_CACHE_BYTES", 16 << 20, 0, std::int64_t{1} << 34);
    c.cursor_secret = r.secret("CURSOR_SECRET");
    if (c.cursor_secret.empty()) {
        c.cursor_secret = random_bytes(32);
        c.cursor_secret_is_random = true;
    } else if (c.cursor_secret.size() < 16) {
        r.fail("CURSOR_SECRET", "***", "at least 16 characters");
    }

    c.sentry_dsn = r.secret("SENTRY_DSN");
    if (!c.sentry_dsn.empty() && !report::parse_dsn(c.sentry_dsn))
        r.fail("SENTRY_DSN", "***", "https://KEY@HOST/PROJECT");
    c.sentry_environment = r.text("SENTRY_ENVIRONMENT", "production");

    c.lame_duck = r.duration("LAME_DUCK", 10s, 0ms, 5min);
    c.drain_timeout = r.duration("DRAIN_TIMEOUT", 30s, 0ms, 10min);
    if (const auto level = r.one_of("LOG_LEVEL", "info", {"debug", "info", "warn", "error", "off"});
        !parse_log_level(level, c.level))
        c.level = log_level::info;
    c.access_log = r.flag("ACCESS_LOG", true);
    return c;
}

} // namespace tiktrend::gateway
