#include "wrk.hpp"

#include "process_usage.hpp"

#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace tiktrend::bench {
namespace {

/// The last line of wrk's output, which report.lua has written.
boost::json::object last_line(const std::string& file) {
    std::ifstream stream{file};
    std::string line, last;
    while (std::getline(stream, line))
        if (line.starts_with('{')) last = line;
    if (last.empty()) throw std::runtime_error("wrk printed no report");
    return boost::json::parse(last).as_object();
}

} // namespace

http_load run_wrk(const std::string& url, const std::string& scripts, const wrk_requests& requests,
                  int seconds, pid_t server, const std::string& load_cpu) {
    const testing::temp_dir dir;
    testing::process::options options;
    options.environment = requests.environment;
    options.environment["BENCH_WRK"] = scripts;
    options.environment["BENCH_CONNECTIONS"] = std::to_string(requests.connections);
    options.output = dir.path() / "wrk.out";
    std::vector<std::string> command;
    if (!load_cpu.empty()) command = {"taskset", "--cpu-list", load_cpu};
    for (auto& word : std::vector<std::string>{"wrk", "-t", "1", "-c", std::to_string(requests.connections),
                                               "-d", fmt::format("{}s", seconds), "--timeout", "10s", "-s",
                                               scripts + "/" + requests.script, url})
        command.push_back(std::move(word));
    const auto cpu = cpu_seconds_of(server), wrk_cpu = cpu_seconds_of_children();
    const auto status = testing::run(std::move(command), options, std::chrono::seconds{seconds + 30});
    const auto used = cpu_seconds_of(server) - cpu, wrk_used = cpu_seconds_of_children() - wrk_cpu;
    if (status != 0) throw std::runtime_error(fmt::format("wrk ended with {}", status));
    const auto report = last_line(options.output);
    const auto answered = report.at("requests").to_number<double>();
    const auto errors = report.at("errors").to_number<std::int64_t>();
    if (errors != 0)
        throw std::runtime_error(fmt::format("{}: {} of {} requests failed", url, errors, answered));
    const auto elapsed = report.at("seconds").to_number<double>();
    const auto ms = [&report](const char* name) { return report.at(name).to_number<double>() / 1000; };
    return {answered / elapsed, used * 1e6 / answered, ms("p50_us"),      ms("p95_us"),
            ms("p99_us"),       used / elapsed,        wrk_used / elapsed};
}

} // namespace tiktrend::bench
