// tiktrend-gateway: the HTTP side (ARCHITECTURE.md). Configuration: docs/configuration.md.
#include "app.hpp"
#include "config.hpp"
#include "file_limit.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/base/program.hpp>
#include <tiktrend/redis/address.hpp>
#include <tiktrend/report/error_reporter.hpp>

#include <cstdio>
#include <exception>
#include <span>

namespace {

constexpr int exit_config = 2;

} // namespace

int main(int argc, char** argv) {
    using namespace tiktrend;
    const std::span arguments{argv + 1, argv + argc};
    if (const auto status =
            answer_arguments(arguments, "tiktrend-gateway", "the HTTP side of TikTrend Finder"))
        return *status;
    config_reader reader;
    const auto settings = gateway::read_config(reader);
    for (const auto& [name, url] : {std::pair{"REDIS_QUEUE_URL", settings.redis_queue_url},
                                    std::pair{"REDIS_CACHE_URL", settings.redis_cache_url}})
        if (!redis::parse_url(url))
            reader.fail(name, hide_password(url),
                        "redis://[user[:password]@]host[:port][/db], rediss://…, unix:///path, "
                        "redis+sentinel://host[:port],…/master or redis+cluster://host:port,…");
    sources::registry_options source_options;
    source_options.input_defaults = settings.source_defaults;
    auto files = sources::read_source_files(settings.sources_dir);
    const auto definitions = files ? sources::make_registry(*files, source_options) : files.error();
    if (!reader.errors().empty() || !definitions) {
        for (const auto& line : reader.errors())
            std::fprintf(stderr, "%s\n", line.c_str());
        if (!definitions)
            for (const auto& e : definitions.error())
                std::fprintf(stderr, "%s\n", sources::to_string(e).c_str());
        return exit_config;
    }
    report::reporter_options reports;
    reports.from = report::this_process("tiktrend-gateway", settings.sentry_environment);
    const auto log = report::reporting_logger(settings.level, settings.sentry_dsn, std::move(reports))
                         .with("program", "tiktrend-gateway");
    log_settings(log, reader);
    gateway::raise_file_limit(settings.threads * settings.http.max_connections, log);
    if (settings.cursor_secret_is_random)
        log.warn(
            "cursor_secret_is_random",
            {{"effect", "page cursors end with this process; set CURSOR_SECRET when several replicas run"}});
    try {
        gateway::app app{settings, std::move(*files), log};
        return app.run();
    } catch (const std::exception& e) {
        log.error("gateway_failed", {{"error", e.what()}});
        return 1;
    }
}
