// tiktrend-autoscale-sim: what the autoscaler of deploy/k8s does with a trace, with a live Prometheus, or
// with real workers.
#include "chart.hpp"
#include "control.hpp"
#include "fleet.hpp"
#include "trace.hpp"

#include <CLI/CLI.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <iostream>

namespace {

using namespace tiktrend::autoscale;

volatile std::sig_atomic_t stop_requested = 0;
void request_stop(int) {
    stop_requested = 1;
}

struct arguments {
    std::string trace_file, svg, prometheus_url, directory = ".", targets, at_most = "1h", grace = "120s";
    std::string replicas_query = "count(worker_concurrency)";
    std::vector<std::string> command;
    control_settings control;
    bool kubernetes_defaults = false, until_idle = false;
    double price = 0.02, speed = 1;
    int min = 3, max = 20, concurrency = 10;
};

hpa_settings autoscaler_of(const arguments& a) {
    auto s = a.kubernetes_defaults ? default_settings() : shipped_settings();
    s.min_replicas = a.min;
    s.max_replicas = a.max;
    s.average_value = a.concurrency;
    return faster(s, a.speed);
}

void write_chart(const arguments& a, const std::vector<sample>& samples, const std::string& title,
                 const std::string& subtitle) {
    if (a.svg.empty()) return;
    std::ofstream out{a.svg};
    out << draw(samples, {.title = title, .subtitle = subtitle, .max_replicas = a.max});
    if (!out.flush()) throw std::runtime_error("cannot write " + a.svg);
    fmt::print("chart: {}\n", a.svg);
}

int run_simulation(const arguments& a) {
    std::ifstream file;
    if (a.trace_file != "-") {
        file.open(a.trace_file);
        if (!file) throw std::runtime_error("cannot read " + a.trace_file);
    }
    trace t;
    try {
        t = read_trace(a.trace_file == "-" ? std::cin : file);
    } catch (const std::runtime_error& e) {
        throw std::runtime_error(a.trace_file + ": " + e.what());
    }
    fleet_settings settings;
    settings.autoscaler = autoscaler_of(a);
    settings.concurrency = a.concurrency;
    const auto o = simulate(t, settings);

    fmt::print("   time   depth  workers  taking jobs\n");
    const sample* last = nullptr;
    for (const auto& s : o.samples) {
        if (last && s.replicas == last->replicas) continue;
        fmt::print("{:6.0f} s  {:6.0f}  {:7}  {:11}\n", s.at.count(), s.depth, s.replicas, s.taking_jobs);
        last = &s;
    }
    fmt::print("\njobs       {} arrived, {} finished, {} unfinished, {} handed back by drains (none more "
               "than {} times)\n"
               "waiting    p50 {:.1f} s, p95 {:.1f} s, p99 {:.1f} s, longest {:.1f} s\n"
               "workers    peak {}, {:.2f} worker-hours, {:.2f} USD at {} USD an hour\n",
               o.arrived, o.finished, o.unfinished, o.released, o.most_releases, percentile(o.waits, 50),
               percentile(o.waits, 95), percentile(o.waits, 99), percentile(o.waits, 100), o.peak,
               o.worker_hours, o.worker_hours * a.price, a.price);
    write_chart(a, o.samples, a.trace_file,
                fmt::format("{} jobs, waiting p95 {:.0f} s, peak {} workers, {:.1f} worker-hours", o.arrived,
                            percentile(o.waits, 95), o.peak, o.worker_hours));
    return 0;
}

void prepare_signals() {
    struct sigaction action{};
    action.sa_handler = request_stop;
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

control_settings control_of(const arguments& a) {
    auto s = a.control;
    s.autoscaler = autoscaler_of(a);
    s.at_most = parse_duration(a.at_most);
    s.until_idle = a.until_idle;
    s.targets = a.targets;
    return s;
}

int run_control(const arguments& a) {
    prepare_signals();
    worker_processes fleet{a.command, a.directory, parse_duration(a.grace)};
    const auto samples = control(control_of(a), prometheus{a.prometheus_url}, fleet, stop_requested);
    int peak = 0;
    for (const auto& s : samples)
        peak = std::max(peak, s.replicas);
    fmt::print("peak {} workers, {} ended with an error\n", peak, fleet.failures());
    write_chart(a, samples, "Real workers, scaled on a real Prometheus",
                fmt::format("peak {} workers{}", peak,
                            a.speed > 1
                                ? fmt::format("; periods of the autoscaler shortened {:g} times", a.speed)
                                : ""));
    return fleet.failures() == 0 ? 0 : 1;
}

int run_watch(const arguments& a) {
    prepare_signals();
    watch(control_of(a), prometheus{a.prometheus_url}, a.replicas_query, stop_requested);
    return 0;
}

void add_fleet(CLI::App& verb, arguments& a) {
    verb.add_option("--min", a.min, "smallest number of workers")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    verb.add_option("--max", a.max, "largest number of workers")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    verb.add_option("--concurrency", a.concurrency, "jobs at once in a worker, and the autoscaler's target")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    verb.add_option("--speed", a.speed, "divide the autoscaler's periods by this")
        ->capture_default_str()
        ->check(CLI::Range(1.0, 1000.0));
    verb.add_flag("--kubernetes-defaults", a.kubernetes_defaults,
                  "Kubernetes' own behaviour instead of the shipped one");
    verb.add_option("--svg", a.svg, "draw a chart into this file");
}

void add_prometheus(CLI::App& verb, arguments& a) {
    verb.add_option("--prometheus", a.prometheus_url, "address, like http://127.0.0.1:9090")->required();
    verb.add_option("--query", a.control.query, "the depth")->capture_default_str();
    verb.add_option("--for", a.at_most, "end after this time")->capture_default_str();
}

} // namespace

int main(int argc, char** argv) {
    arguments a;
    CLI::App app{
        "The autoscaler of the worker fleet: on a trace, on a live Prometheus, or with real workers"};
    app.require_subcommand(1);
    auto* simulation = app.add_subcommand(
        "simulate", "Run a trace (format: tools/autoscale-sim/trace.hpp) and print what it would cost");
    simulation->add_option("TRACE", a.trace_file, "file, or - for standard input")->required();
    simulation->add_option("--price", a.price, "USD for one worker and hour")->capture_default_str();
    add_fleet(*simulation, a);
    auto* watching = app.add_subcommand("watch", "Print what the autoscaler would do; scales nothing");
    watching->add_option("--replicas", a.replicas_query, "query for the workers that there are")
        ->capture_default_str();
    add_prometheus(*watching, a);
    add_fleet(*watching, a);
    auto* controlling = app.add_subcommand("control", "Start and stop real workers: control … -- COMMAND");
    add_prometheus(*controlling, a);
    add_fleet(*controlling, a);
    controlling->add_option("--directory", a.directory, "for port files and logs of the workers")
        ->capture_default_str();
    controlling->add_option("--targets", a.targets,
                            "write the workers' metrics addresses here, for file_sd_configs");
    controlling->add_option("--grace", a.grace, "from SIGTERM to SIGKILL")->capture_default_str();
    controlling->add_flag("--until-idle", a.until_idle,
                          "end when a burst is over and the fleet is at its minimum again");
    controlling->add_option("COMMAND", a.command, "the worker and its arguments")->required();
    CLI11_PARSE(app, argc, argv);
    try {
        if (a.min > a.max) throw std::runtime_error("--min is above --max");
        return *simulation ? run_simulation(a) : *watching ? run_watch(a) : run_control(a);
    } catch (const std::exception& e) {
        fmt::print(stderr, "tiktrend-autoscale-sim: {}\n", e.what());
        return 2;
    }
}
