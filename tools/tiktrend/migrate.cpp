// tiktrend migrate: brings the database's schema to what this version needs.
#include "command.hpp"
#include "database.hpp"

#include <tiktrend/catalog/migrations.hpp>
#include <tiktrend/postgres/migrator.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

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

task<int> status() {
    postgres::connection on{co_await asio::this_coro::executor, direct()};
    co_await on.connect();
    const postgres::migrator migrator{catalog::migrations::files()};
    const auto s = co_await migrator.status(on);
    fmt::print("{}\n", s.summary());
    for (const auto& name : s.pending)
        fmt::print("pending {}\n", name);
    for (const auto& problem : s.problems)
        fmt::print("problem {}\n", problem);
    co_return s.is_ready() ? exit_ok : exit_failed;
}

} // namespace

void add_migrate(CLI::App& root, action& chosen) {
    auto* verb =
        root.add_subcommand("migrate", "Apply the migrations that the database lacks (DATABASE_URL)");
    auto only_status = std::make_shared<bool>(false);
    verb->add_flag("--status", *only_status,
                   "Only say where the database stands; exit code 1 if it is not ready");
    verb->callback([&chosen, only_status] {
        chosen = [read_only = *only_status] { return run(read_only ? status() : migrate()); };
    });
}

} // namespace tiktrend::cli
