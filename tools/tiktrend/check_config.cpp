// tiktrend check-config: whether the environment that gateway and worker share is right, before they are
// started with it. What each of them alone reads it checks itself at its start.
#include "command.hpp"
#include "database.hpp"
#include "redis_url.hpp"

#include <tiktrend/base/config_reader.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/catalog/migrations.hpp>
#include <tiktrend/postgres/migrator.hpp>
#include <tiktrend/redis/client.hpp>
#include <tiktrend/redis/info.hpp>
#include <tiktrend/sources/registry.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <functional>
#include <memory>

namespace tiktrend::cli {
namespace {

using namespace std::chrono_literals;

struct shared_config {
    std::string queue_url, cache_url, database_url, sources_dir;
    std::vector<std::string> source_defaults;
};

shared_config read(config_reader& r) {
    shared_config c;
    c.queue_url = queue_redis_url(r);
    c.cache_url = cache_redis_url(r);
    c.database_url = r.url("DATABASE_URL", "postgresql://127.0.0.1/tiktrend", {"postgresql", "postgres"});
    c.sources_dir = r.text("SOURCES_DIR", "apps/worker/sources");
    c.source_defaults = r.list("SOURCE_DEFAULTS", "");
    return c;
}

/// Prints one line a check and remembers whether all were good.
class findings {
public:
    void good(std::string_view what, std::string_view text) { fmt::print("ok     {:<16} {}\n", what, text); }
    void bad(std::string_view what, std::string_view text) {
        fmt::print("wrong  {:<16} {}\n", what, text);
        ++wrong_;
    }
    int exit_code() const { return wrong_ ? exit_failed : exit_ok; }

private:
    int wrong_ = 0;
};

void check_sources(const shared_config& c, findings& out) {
    sources::registry_options options;
    if (auto defaults = sources::parse_input_defaults(c.source_defaults))
        options.input_defaults = std::move(*defaults);
    else
        out.bad("SOURCE_DEFAULTS", fmt::format("\"{}\": expected SOURCE.INPUT=VALUE", defaults.error()));
    const auto loaded = sources::load_registry(c.sources_dir, options);
    if (loaded) {
        std::string ids;
        for (const auto& definition : (*loaded)->all())
            ids += (ids.empty() ? "" : ", ") + definition->id;
        out.good("SOURCES_DIR", fmt::format("{}: {}", c.sources_dir, ids));
        return;
    }
    for (const auto& error : loaded.error())
        out.bad("SOURCES_DIR", sources::to_string(error));
}

/// Empty where a server does not tell.
task<std::string> policy_of(redis::client& client) {
    const auto reply = co_await client.exec(redis::command{"INFO", "memory"});
    co_return reply.is_error() ? std::string{} : std::string{redis::eviction_policy(reply.text())};
}

/// A queue must never lose a key to eviction, a cache must be able to.
task<void> check_redis(std::string name, std::string url, bool is_queue, findings& out) {
    const auto where = redis::parse_url(url);
    if (!where) {
        out.bad(name, fmt::format("\"{}\": expected {}", hide_password(url), redis_url_forms));
        co_return;
    }
    redis::client client{co_await asio::this_coro::executor, *where};
    client.start();
    std::string problem;
    try {
        co_await client.wait_connected(3s);
        const auto policy = co_await policy_of(client);
        if (policy.empty())
            out.good(name, fmt::format("{}, maxmemory-policy unknown", where->to_string()));
        else if ((policy == "noeviction") == is_queue)
            out.good(name, fmt::format("{}, maxmemory-policy {}", where->to_string(), policy));
        else
            out.bad(name, fmt::format("{}: maxmemory-policy is {}, expected {}", where->to_string(), policy,
                                      is_queue ? "noeviction" : "allkeys-lru or another that evicts"));
    } catch (const std::exception& e) {
        problem = e.what();
    }
    if (!problem.empty()) out.bad(name, fmt::format("{}: {}", where->to_string(), problem));
    co_await client.stop();
}

task<void> check_database(std::string url, findings& out) {
    postgres::connection_options options;
    options.url = url;
    options.application_name = "tiktrend-cli";
    try {
        postgres::connection on{co_await asio::this_coro::executor, options};
        co_await on.connect();
        const postgres::migrator migrator{catalog::migrations::files()};
        const auto status = co_await migrator.status(on);
        const auto text = fmt::format("{}, {}", postgres::describe(url), status.summary());
        if (status.is_ready())
            out.good("DATABASE_URL", text);
        else
            out.bad("DATABASE_URL", text);
    } catch (const std::exception& e) {
        out.bad("DATABASE_URL", fmt::format("{}: {}", postgres::describe(url), e.what()));
    }
}

task<int> check(bool offline) {
    findings out;
    config_reader reader;
    const auto c = read(reader);
    for (const auto& error : reader.errors())
        out.bad("environment", error);
    check_sources(c, out);
    if (!offline && reader.errors().empty()) {
        co_await check_redis("REDIS_QUEUE_URL", c.queue_url, true, out);
        co_await check_redis("REDIS_CACHE_URL", c.cache_url, false, out);
        co_await check_database(c.database_url, out);
    }
    co_return out.exit_code();
}

} // namespace

void add_check_config(CLI::App& root, action& chosen) {
    auto* verb = root.add_subcommand(
        "check-config",
        "Check what gateway and worker share: Redis, PostgreSQL and its schema, source definitions");
    auto offline = std::make_shared<bool>(false);
    verb->add_flag("--offline", *offline, "Only values and definitions; connect to nothing");
    verb->callback(
        [&chosen, offline] { chosen = [is_offline = *offline] { return run(check(is_offline)); }; });
}

} // namespace tiktrend::cli
