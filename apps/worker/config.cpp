#include "config.hpp"

#include "crawl/robots/robots_rules.hpp"

#include <tiktrend/catalog/quota_setting.hpp>
#include <tiktrend/redis/address.hpp>
#include <tiktrend/report/dsn.hpp>
#include <tiktrend/sources/registry.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;

std::string read_redis_url(config_reader& r, std::string_view name, std::string_view fallback) {
    auto url = r.url(
        name, fallback,
        {"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"});
    if (!redis::parse_url(url))
        r.fail(name, hide_password(url),
               "redis://[user[:password]@]host[:port][/db], rediss://…, unix:///path, "
               "redis+sentinel://host[:port],…/master or redis+cluster://host:port,…");
    return url;
}

fetch::address_guard read_guard(config_reader& r) {
    fetch::address_guard::rules rules;
    for (const auto& text : r.list("FETCH_ALLOW", "")) {
        auto entry = fetch::parse_allow_entry(text);
        if (entry)
            rules.allow.push_back(std::move(*entry));
        else
            r.fail("FETCH_ALLOW", text, entry.error().substr(entry.error().find(' ') + 1));
    }
    for (const auto& text : r.list("FETCH_DENY", "")) {
        if (const auto range = fetch::parse_ip_range(text))
            rules.deny.push_back(*range);
        else
            r.fail("FETCH_DENY", text, "ADDRESS or ADDRESS/BITS");
    }
    rules.own_addresses = fetch::own_addresses();
    return fetch::address_guard{std::move(rules)};
}

/// "HOST:PORT=HOST:PORT" as libcurl writes it; empty if it is none.
std::string connect_entry(std::string_view text) {
    const auto is_place = [](std::string_view place) {
        const auto url = fetch::parse_url(fmt::format("http://{}/", place));
        return url && url->target == "/" && place.find(':') != std::string_view::npos;
    };
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return {};
    const auto from = text.substr(0, equals);
    const auto to = text.substr(equals + 1);
    return is_place(from) && is_place(to) ? fmt::format("{}:{}", from, to) : std::string{};
}

std::vector<std::string> read_connect_to(config_reader& r) {
    std::vector<std::string> out;
    for (const auto& text : r.list("FETCH_CONNECT_TO", "")) {
        if (auto entry = connect_entry(text); !entry.empty())
            out.push_back(std::move(entry));
        else
            r.fail("FETCH_CONNECT_TO", text, "comma separated HOST:PORT=HOST:PORT entries");
    }
    return out;
}

fetch::client_options read_fetch(config_reader& r, std::size_t jobs) {
    fetch::client_options o;
    const auto contact = r.text("CONTACT", "");
    if (!contact.empty() && !fetch::is_contact(contact))
        r.fail("CONTACT", contact, "an http(s) URL or a mail address, where shops can reach you");
    o.user_agent = r.text("FETCH_USER_AGENT", fetch::user_agent(contact));
    if (o.user_agent.find_first_of("\r\n") != std::string::npos)
        r.fail("FETCH_USER_AGENT", o.user_agent, "one line of text");
    if (product_token(o.user_agent).empty())
        r.fail("FETCH_USER_AGENT", o.user_agent,
               "a product name of letters first, which robots.txt files can name");
    o.max_body_bytes = static_cast<std::size_t>(r.bytes("FETCH_MAX_BODY", 16 << 20, 1024, 1 << 30));
    o.connect_timeout = r.duration("FETCH_CONNECT_TIMEOUT", o.connect_timeout, 10ms, 5min);
    o.first_byte_timeout = r.duration("FETCH_FIRST_BYTE_TIMEOUT", o.first_byte_timeout, 10ms, 5min);
    o.total_timeout = r.duration("FETCH_TOTAL_TIMEOUT", o.total_timeout, 10ms, 1h);
    o.max_per_host = static_cast<std::size_t>(r.integer("FETCH_MAX_PER_HOST", 8, 1, 1000));
    o.max_total = static_cast<std::size_t>(r.integer(
        "FETCH_MAX_CONNECTIONS", std::max<std::int64_t>(64, static_cast<std::int64_t>(jobs)), 1, 10'000));
    o.ca_file = r.text("FETCH_CA_FILE", "");
    o.connect_to = read_connect_to(r);
    o.guard = read_guard(r);
    return o;
}

std::map<std::string, std::string, std::less<>> read_pairs(config_reader& r, std::string_view name,
                                                           const std::string& text, bool is_secret) {
    std::vector<std::string> entries;
    for (std::string_view rest = text; !rest.empty();) {
        const auto comma = rest.find(',');
        if (const auto entry = rest.substr(0, comma); !entry.empty()) entries.emplace_back(entry);
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    auto pairs = sources::parse_input_defaults(entries);
    if (pairs) return std::move(*pairs);
    r.fail(name, is_secret ? "***" : pairs.error(), "comma separated SOURCE.NAME=VALUE entries");
    return {};
}

retry_settings read_retries(config_reader& r) {
    retry_settings s;
    s.tries = static_cast<int>(r.integer("FETCH_TRIES", s.tries, 1, 20));
    s.base = r.duration("FETCH_RETRY_BASE", s.base, 1ms, 1min);
    s.max = r.duration("FETCH_RETRY_MAX", s.max, 1ms, 10min);
    s.wait_in_place = r.duration("RATE_LIMIT_WAIT", s.wait_in_place, 0ms, 5min);
    s.retry_after_cap = r.duration("RETRY_AFTER_MAX", s.retry_after_cap, 1s, 24h);
    s.cool_down = r.duration("BLOCKED_COOL_DOWN", s.cool_down, 0ms, 24h);
    return s;
}

proxy_lists read_proxies(config_reader& r) {
    std::vector<std::string> entries;
    const auto text = r.secret("SOURCE_PROXIES");
    for (std::string_view rest = text; !rest.empty();) {
        const auto comma = rest.find(',');
        auto entry = rest.substr(0, comma);
        entry.remove_prefix(std::min(entry.find_first_not_of(' '), entry.size()));
        if (!entry.empty()) entries.emplace_back(entry);
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    auto lists = parse_proxies(entries);
    if (lists) return std::move(*lists);
    r.fail("SOURCE_PROXIES", lists.error(),
           "comma separated SOURCE=PROXY [PROXY…] entries of http://, https:// or socks5h://HOST:PORT");
    return {};
}

/// All or nothing: without IMAGES_ENDPOINT images are not mirrored.
std::optional<image_settings> read_images(config_reader& r) {
    image_settings s;
    s.storage.endpoint = r.text("IMAGES_ENDPOINT", "");
    s.storage.bucket = r.text("IMAGES_BUCKET", "");
    s.storage.key.access_key_id = r.text("IMAGES_ACCESS_KEY_ID", "");
    s.storage.key.secret_access_key = r.secret("IMAGES_SECRET_ACCESS_KEY");
    s.storage.key.region = r.text("IMAGES_REGION", "auto");
    s.public_url = r.text("IMAGES_PUBLIC_URL", "");
    s.max_bytes = static_cast<std::size_t>(r.bytes("IMAGES_MAX_SIZE", 10 << 20, 1024, 1 << 30));
    s.delay = r.duration("IMAGES_DELAY", s.delay, 0ms, 1min);
    s.concurrency = static_cast<int>(r.integer("IMAGES_PER_HOST", s.concurrency, 1, 100));
    if (s.storage.endpoint.empty()) return {};
    const auto endpoint = fetch::parse_url(s.storage.endpoint);
    if (!endpoint || endpoint->target != "/")
        r.fail("IMAGES_ENDPOINT", s.storage.endpoint, "http(s)://HOST[:PORT]");
    const auto need = [&r](std::string_view name, const std::string& value, std::string_view expected) {
        if (value.empty()) r.fail(name, "", expected);
    };
    need("IMAGES_BUCKET", s.storage.bucket, "the bucket's name, as IMAGES_ENDPOINT is set");
    need("IMAGES_ACCESS_KEY_ID", s.storage.key.access_key_id, "a key, as IMAGES_ENDPOINT is set");
    need("IMAGES_SECRET_ACCESS_KEY", s.storage.key.secret_access_key,
         "the key's secret, as IMAGES_ENDPOINT is set");
    while (s.public_url.ends_with('/'))
        s.public_url.pop_back();
    if (!fetch::parse_url(s.public_url))
        r.fail("IMAGES_PUBLIC_URL", s.public_url, "the http(s) URL under which clients reach the bucket");
    return s;
}

sources::limits read_limits(config_reader& r, std::size_t max_body) {
    sources::limits l;
    l.max_pages = r.integer("SCRAPE_MAX_PAGES", 1000, 1, 1'000'000);
    l.max_items = r.integer("SCRAPE_MAX_ITEMS", 100'000, 1, 100'000'000);
    l.deadline = r.duration("SCRAPE_DEADLINE", 1h, 1s, 24h);
    l.max_bytes = static_cast<std::int64_t>(max_body);
    return l;
}

spot_options read_spot(config_reader& r) {
    spot_options o;
    o.where =
        parse_cloud(r.one_of("SPOT_NOTICE", "off", {"off", "aws", "gcp", "azure"})).value_or(cloud::none);
    o.url = r.text("SPOT_METADATA_URL", "");
    if (!o.url.empty() && !fetch::parse_url(o.url))
        r.fail("SPOT_METADATA_URL", o.url, "an http URL such as http://169.254.169.254");
    o.every = r.duration("SPOT_POLL_INTERVAL", o.every, 100ms, 1min);
    o.resource = r.text("SPOT_RESOURCE", "");
    return o;
}

deletion_cost_options read_deletion_cost(config_reader& r) {
    deletion_cost_options o;
    const bool is_wanted = r.flag("POD_DELETION_COST", false);
    const auto url = r.text("KUBERNETES_API_URL", "https://kubernetes.default.svc");
    o.pod = r.text("POD_NAME", "");
    o.pod_namespace = r.text("POD_NAMESPACE", "");
    o.credentials_dir = r.text("KUBERNETES_CREDENTIALS_DIR", "/var/run/secrets/kubernetes.io/serviceaccount");
    o.every = r.duration("POD_DELETION_COST_INTERVAL", o.every, 100ms, 10min);
    if (!is_wanted) return o;
    o.api_url = url;
    if (!fetch::parse_url(url)) r.fail("KUBERNETES_API_URL", url, "an http or https URL");
    if (o.pod.empty()) r.fail("POD_NAME", "", "the pod's own name (metadata.name), with POD_DELETION_COST");
    if (o.pod_namespace.empty())
        r.fail("POD_NAMESPACE", "", "the pod's namespace (metadata.namespace), with POD_DELETION_COST");
    return o;
}

std::string read_sentry_dsn(config_reader& r) {
    auto text = r.secret("SENTRY_DSN");
    if (!text.empty() && !report::parse_dsn(text)) r.fail("SENTRY_DSN", "***", "https://KEY@HOST/PROJECT");
    return text;
}

} // namespace

config read_config(config_reader& r) {
    config c;
    c.redis_queue_url = read_redis_url(r, "REDIS_QUEUE_URL", "redis://127.0.0.1:6379/0");
    c.redis_cache_url = read_redis_url(r, "REDIS_CACHE_URL", "redis://127.0.0.1:6380/0");
    c.database_url = r.url("DATABASE_URL", "postgresql://127.0.0.1/tiktrend", {"postgresql", "postgres"});
    c.database_pool_size = static_cast<std::size_t>(r.integer("DATABASE_POOL_SIZE", 4, 1, 1000));
    c.database_acquire_timeout = r.duration("DATABASE_ACQUIRE_TIMEOUT", 2s, 10ms, 60s);

    c.queue_prefix = r.text("QUEUE_PREFIX", "bull");
    c.queue_name = r.text("QUEUE_NAME", "scraping");
    if (c.queue_name.find(':') != std::string::npos) r.fail("QUEUE_NAME", c.queue_name, "a name without ':'");
    c.worker_name = r.text("WORKER_NAME", "");
    c.concurrency = static_cast<std::size_t>(r.integer("WORKER_CONCURRENCY", 10, 1, 1000));
    c.lock_duration = r.duration("LOCK_DURATION", 30s, 100ms, 10min);
    c.stalled_interval = r.duration("STALLED_INTERVAL", 30s, 100ms, 10min);
    c.max_stalled_count = static_cast<std::int32_t>(r.integer("MAX_STALLED_COUNT", 3, 0, 1000));
    c.drain_delay = r.duration("DRAIN_DELAY", 5s, 10ms, 1min);
    c.keep_completed = r.integer("JOB_KEEP_COMPLETED", 1000, 0, 10'000'000);
    c.keep_failed = r.integer("JOB_KEEP_FAILED", 5000, 0, 10'000'000);
    c.scrape_quota = catalog::read_daily_quota(r, "QUOTA_SCRAPES", catalog::default_scrape_quota);

    c.sources_dir = r.text("SOURCES_DIR", "apps/worker/sources");
    c.source_defaults = read_pairs(r, "SOURCE_DEFAULTS", r.text("SOURCE_DEFAULTS", ""), false);
    c.source_secrets = read_pairs(r, "SOURCE_SECRETS", r.secret("SOURCE_SECRETS"), true);
    c.sources_refresh = r.duration("SOURCES_REFRESH", 30s, 0ms, 24h);
    c.proxies = read_proxies(r);
    c.images = read_images(r);
    c.trend_refresh = r.duration("TREND_REFRESH", 1h, 0ms, 24h);
    c.retention = r.duration("RETENTION", 2160h, 0ms, 87'600h);
    c.plain_http_hosts = r.list("PLAIN_HTTP_HOSTS", "");
    c.fetch = read_fetch(r, c.concurrency);
    c.limits = read_limits(r, c.fetch.max_body_bytes);
    c.obey_robots = r.flag("OBEY_ROBOTS", true);
    c.min_delay = r.duration("SCRAPE_MIN_DELAY", 0ms, 0ms, 1h);
    c.retries = read_retries(r);

    c.drain_timeout = r.duration("DRAIN_TIMEOUT", 105s, 1s, 1h);
    c.spot = read_spot(r);
    c.drains_on_rebalance = r.flag("SPOT_DRAIN_ON_REBALANCE", false);
    c.deletion_cost = read_deletion_cost(r);
    c.sentry_dsn = read_sentry_dsn(r);
    c.sentry_environment = r.text("SENTRY_ENVIRONMENT", "production");
    c.metrics_address = r.text("METRICS_ADDRESS", "127.0.0.1");
    c.metrics_port = static_cast<std::uint16_t>(r.integer("METRICS_PORT", 9091, 0, 65'535));
    c.port_file = r.text("PORT_FILE", "");
    if (const auto level = r.one_of("LOG_LEVEL", "info", {"debug", "info", "warn", "error", "off"});
        !parse_log_level(level, c.level))
        c.level = log_level::info;
    return c;
}

} // namespace tiktrend::worker
