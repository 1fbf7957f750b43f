// tiktrend: the command line for operators. Verbs: see command.hpp; configuration: the same variables as the
// services (docs/configuration.md).
#include "command.hpp"
#include "usage_error.hpp"

#include <tiktrend/base/program.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    using namespace tiktrend;
    CLI::App app{"TikTrend Finder's command line"};
    app.set_version_flag("--version", fmt::format("tiktrend {}", project_version()));
    app.require_subcommand(1);
    cli::action chosen;
    cli::add_migrate(app, chosen);
    cli::add_api_key(app, chosen);
    cli::add_user(app, chosen);
    cli::add_check_config(app, chosen);
    cli::add_queue(app, chosen);
    cli::add_source(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? cli::exit_ok : cli::exit_usage;
    }
    try {
        return chosen();
    } catch (const cli::usage_error& e) {
        fmt::print(stderr, "{}\n", e.what());
        return cli::exit_usage;
    } catch (const std::exception& e) {
        fmt::print(stderr, "tiktrend: {}\n", e.what());
        return cli::exit_failed;
    }
}
