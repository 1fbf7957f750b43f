// tiktrend-bench: what tools/bench/run starts. Compares the project with the usual Node stack on this
// machine.
#include "benches.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <functional>

int main(int argc, char** argv) {
    using namespace tiktrend::bench;
    settings s;
    std::string json_file;
    std::function<std::vector<row>(const settings&)> chosen;

    CLI::App app{"Measures this project beside the usual Node stack; use tools/bench/run"};
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--json", json_file, "Also write the rows to this file");
    app.add_option("--rounds", s.rounds, "Rounds that count")
        ->check(CLI::Range(1, 1000))
        ->take_last()
        ->capture_default_str();
    app.add_option("--seconds", s.seconds, "HTTP load a round and side")
        ->check(CLI::Range(1, 600))
        ->take_last()
        ->capture_default_str();
    app.add_option("--jobs", s.jobs, "Jobs a round and side")
        ->check(CLI::Range(1000, 10'000'000))
        ->take_last()
        ->capture_default_str();
    app.add_option("--history", s.history, "Jobs already completed in the rows that have a history")
        ->check(CLI::Range(1000, 10'000'000))
        ->take_last()
        ->capture_default_str();
    app.add_option("--load-cpu", s.load_cpu, "Processor that wrk is held to");
    app.add_option("--programs", s.programs, "Folder of the contenders")->required();
    app.add_option("--peers", s.peers, "Folder of the Node peers")->required();
    app.add_subcommand("queue", "Adding and processing jobs")->callback([&] { chosen = run_queue_bench; });
    app.add_subcommand("http", "POST /scraping/start and the cached GET /products")->callback([&] {
        chosen = run_http_bench;
    });
    app.add_subcommand("reads", "Products by key, filter and text, out of a million")->callback([&] {
        chosen = run_reads_bench;
    });
    app.add_subcommand("scrape", "Pages of a shop into PostgreSQL")->callback([&] {
        chosen = run_scrape_bench;
    });
    CLI11_PARSE(app, argc, argv);
    try {
        std::setvbuf(stdout, nullptr, _IOLBF, 0);
        const auto rows = chosen(s);
        print(rows);
        if (!json_file.empty()) write_json(rows, json_file);
        return 0;
    } catch (const std::exception& e) {
        fmt::print(stderr, "tiktrend-bench: {}\n", e.what());
        return 1;
    }
}
