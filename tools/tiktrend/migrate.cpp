// tiktrend migrate: brings the database's schema to what this version needs.
#include "command.hpp"
#include "database.hpp"
#include "usage_error.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/catalog/migrations.hpp>
#include <tiktrend/postgres/migrator.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

namespace tiktrend::cli {
namespace {

postgres::connection_options direct() {
    postgres::connection_options o;
    o.url = database_url();
    o.application_name = "tiktrend-migrate";
    // A migration may rewrite a table or build an index.
    o.statement_timeout = std::chrono::milliseconds{0};
    o.response_timeout = std::chrono::hours{1};
    return o;
}

task<int> migrate() {
    postgres::connection on{co_await asio::this_coro::executor, direct()};
    co_await on.connect();
    const postgres::migrator migrator{catalog::migrations::files()};
    const auto names = co_await migrator.up(on);
    for (const auto& name : names)
        fmt::print("applied {}\n", name);
    if (names.empty()) fmt::print("nothing to do\n");
    co_return exit_ok;
}

void print(const postgres::migration_status& s) {
    fmt::print("{}\n", s.summary());
    for (const auto& name : s.pending)
        fmt::print("pending {}\n", name);
    for (const auto& problem : s.problems)
        fmt::print("problem {}\n", problem);
}

task<postgres::migration_status> look() {
    postgres::connection_options options;
    options.url = database_url();
    options.application_name = "tiktrend-migrate";
    postgres::connection on{co_await asio::this_coro::executor, options};
    co_await on.connect();
    const postgres::migrator migrator{catalog::migrations::files()};
    co_return co_await migrator.status(on);
}

/// As process 1 of a container a program without a handler does not hear SIGTERM.
void end_on_signals() {
    for (const int number : {SIGTERM, SIGINT})
        std::signal(number, [](int received) { ::_exit(128 + received); });
}

/// Asks again every second while the database is away or not ready and there is time: what starts a fleet
/// waits here instead of failing, each time for longer until it is tried again.
task<int> status(std::chrono::seconds wait) {
    end_on_signals();
    const auto end = std::chrono::steady_clock::now() + wait;
    std::string said;
    while (true) {
        const bool is_last = std::chrono::steady_clock::now() >= end;
        std::string reason;
        try {
            const auto found = co_await look();
            if (found.is_ready() || is_last || !found.problems.empty()) {
                print(found);
                co_return found.is_ready() ? exit_ok : exit_failed;
            }
            reason = found.summary();
        } catch (const system_error& e) {
            if (is_last) throw;
            reason = e.what();
        }
        if (reason != said) fmt::print(stderr, "waiting: {}\n", reason);
        said = reason;
        co_await sleep_for(std::chrono::seconds{1});
    }
}

} // namespace

void add_migrate(CLI::App& root, action& chosen) {
    auto* verb =
        root.add_subcommand("migrate", "Apply the migrations that the database lacks (DATABASE_URL)");
    auto only_status = std::make_shared<bool>(false);
    verb->add_flag("--status", *only_status,
                   "Only say where the database stands; exit code 1 if it is not ready");
    auto wait = std::make_shared<int>(0);
    verb->add_option("--wait", *wait, "With --status: seconds to wait until the database is ready")
        ->check(CLI::Range(0, 86'400))
        ->capture_default_str();
    verb->callback([&chosen, only_status, wait] {
        chosen = [read_only = *only_status, wait = std::chrono::seconds{*wait}] {
            if (wait > std::chrono::seconds{0} && !read_only) throw usage_error("--wait is for --status");
            return run(read_only ? status(wait) : migrate());
        };
    });
}

} // namespace tiktrend::cli
