// tiktrend-worker: takes scraping jobs from the queue (ARCHITECTURE.md). Configuration:
// docs/configuration.md.
#include "app.hpp"
#include "config.hpp"

#include <tiktrend/base/program.hpp>
#include <tiktrend/report/error_reporter.hpp>

#include <csignal>
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
            answer_arguments(arguments, "tiktrend-worker", "takes scraping jobs from the queue"))
        return *status;
    std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    config_reader reader;
    const auto settings = worker::read_config(reader);
    sources::registry_options options;
    options.input_defaults = settings.source_defaults;
    auto files = sources::read_source_files(settings.sources_dir);
    const auto definitions = files ? sources::make_registry(*files, options) : files.error();
    if (!reader.errors().empty() || !definitions) {
        for (const auto& line : reader.errors())
            std::fprintf(stderr, "%s\n", line.c_str());
        if (!definitions)
            for (const auto& e : definitions.error())
                std::fprintf(stderr, "%s\n", sources::to_string(e).c_str());
        return exit_config;
    }
    report::reporter_options reports;
    reports.from = report::this_process("tiktrend-worker", settings.sentry_environment);
    const auto log = report::reporting_logger(settings.level, settings.sentry_dsn, std::move(reports))
                         .with("program", "tiktrend-worker");
    log_settings(log, reader);
    if (!fetch::names_contact(settings.fetch.user_agent))
        log.warn("no_contact",
                 {{"user_agent", settings.fetch.user_agent},
                  {"hint", "set CONTACT, so that shops can reach you instead of blocking you"}});
    try {
        worker::app app{settings, std::move(*files), log};
        return app.run();
    } catch (const std::exception& e) {
        log.error("worker_failed", {{"error", e.what()}});
        return 1;
    }
}
