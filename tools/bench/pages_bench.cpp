#include "pages_bench.hpp"

#include "process_usage.hpp"
#include "scrape_api.hpp"

#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string_view>

namespace tiktrend::bench {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr int addresses = 8; ///< of nginx; a host is asked by 64 jobs at once at most
constexpr int per_page = 100;

struct visit {
    double products_per_second;
    double worker_us; ///< processor time for a page
    double postgres_us;
    double peak_mib; ///< of the worker
};

/// What both sides are asked to read.
struct order {
    std::string kind; ///< json, html
    int jobs;
    bool indexed = false; ///< the peer's table has as many indexes as ours
    std::string row_name(std::string_view what) const {
        return fmt::format("pages_{}_{}{}_{}", kind, jobs, indexed ? "_indexed" : "", what);
    }
    std::string shop(int part) const {
        return fmt::format("http://127.0.0.{}:{}", part % addresses + 1, environment("PAGES_PORT"));
    }
};

/// One call adds all jobs; the time runs from the first one's making to the last one's end. Returns products
/// per second.
double run_ours(const order& o, int pages) {
    json::array jobs;
    for (int part = 1; part <= o.jobs; ++part)
        jobs.push_back(json::object{{"source", "bench." + o.kind},
                                    {"filters", {{"shop", o.shop(part)}, {"jobs", o.jobs}, {"part", part}}}});
    const testing::temp_dir dir;
    const auto file = dir.path() / "jobs.json";
    std::ofstream{file} << json::serialize(json::object{{"items", std::move(jobs)}});
    const auto added =
        api({"--header", "Content-Type: application/json", "--data", "@" + file.string()}, "/scraping/batch");
    auto first = std::numeric_limits<double>::max();
    double last = 0, products = 0;
    for (const auto& one : added.at("items").as_array()) {
        const auto path = "/scraping/jobs/" + std::string{one.at("job_id").as_string()};
        json::object job;
        const bool ended = testing::poll_until(
            [&] {
                job = api({}, path);
                return job.at("state") == "completed" || job.at("state") == "failed";
            },
            300s);
        if (!ended || job.at("state") != "completed")
            throw std::runtime_error("our job: " + json::serialize(job));
        first = std::min(first, milliseconds_of(job.at("created_at")));
        last = std::max(last, milliseconds_of(job.at("finished_at")));
        products += job.at("result").at("products_found").to_number<double>();
    }
    if (products != pages * per_page)
        throw std::runtime_error(fmt::format("our jobs found {} products", products));
    return products / (last - first) * 1000;
}

double run_theirs(testing::line_peer& node, const order& o, int pages) {
    json::array parts;
    for (int part = 1; part <= o.jobs; ++part)
        parts.push_back(
            json::object{{"prefix", fmt::format("{}/{}/{}/", o.shop(part), o.jobs, part)}, {"kind", o.kind}});
    node.send(json::serialize(json::object{{"parts", std::move(parts)}}));
    const auto answer = json::parse(node.receive(5min)).as_object();
    if (!answer.contains("products") || answer.at("products") != pages * per_page)
        throw std::runtime_error("their jobs: " + json::serialize(answer));
    return pages * per_page / answer.at("seconds").to_number<double>();
}

/// With them the peer's table can be sorted, filtered and searched as ours can; nothing is measured
/// meanwhile.
void give_indexes(testing::line_peer& node, bool wanted) {
    forget_products();
    node.send(json::serialize(json::object{{"indexes", wanted}}));
    const auto answer = json::parse(node.receive(1min)).as_object();
    if (!answer.contains("indexes")) throw std::runtime_error("their table: " + json::serialize(answer));
}

template <class Run>
visit measure(pid_t worker, int pages, Run run) {
    const auto postgres = static_cast<pid_t>(std::stoi(environment("POSTGRES_PID")));
    forget_peak_of(worker);
    const auto cpu = cpu_seconds_of(worker), database = cpu_seconds_of_family(postgres);
    visit out{};
    out.products_per_second = run();
    out.worker_us = (cpu_seconds_of(worker) - cpu) * 1e6 / pages;
    out.postgres_us = (cpu_seconds_of_family(postgres) - database) * 1e6 / pages;
    out.peak_mib = peak_mib_of(worker);
    return out;
}

/// Puts one of the two sets of pages before nginx.
void show(const std::string& set) {
    const std::filesystem::path dir = environment("PAGES_DIR");
    std::filesystem::create_symlink(set, dir / "next");
    std::filesystem::rename(dir / "next", dir / "now");
}

} // namespace

std::vector<row> measure_pages(const settings& s, pid_t worker, testing::line_peer& node,
                               const std::string& peer) {
    const auto pages = std::stoi(environment("MANY_PAGES"));
    std::vector<row> rows;
    if (pages == 0) return rows;
    const auto rounds = std::max(1, s.rounds / 2);
    for (const auto& o : {order{"json", 10}, order{"json", 50}, order{"json", 50, true}, order{"json", 200},
                          order{"html", 50}}) {
        give_indexes(node, o.indexed);
        const auto begin = rows.size();
        for (const char* state : {"new", "unchanged", "changed_5"}) {
            const auto name = o.row_name(state);
            rows.push_back({name, "prod/s", peer, "", {}, {}});
            rows.push_back({name + "_worker", "us/page", peer, "", {}, {}});
            rows.push_back({name + "_postgres", "us/page", peer, "", {}, {}});
        }
        rows.push_back({o.row_name("peak_memory"), "MiB", peer, "ours <= 40", {}, {}});
        for (int round = 1; round <= rounds; ++round) {
            forget_products();
            double peak[2]{};
            for (std::size_t state = 0; state < 3; ++state) {
                show(state == 2 ? "b" : "a");
                for (int turn = 0; turn < 2; ++turn) {
                    const bool is_ours = (round + turn) % 2 == 0;
                    const auto got = is_ours ? measure(worker, pages, [&] { return run_ours(o, pages); })
                                             : measure(node.child().pid(), pages,
                                                       [&] { return run_theirs(node, o, pages); });
                    const double values[]{got.products_per_second, got.worker_us, got.postgres_us};
                    for (std::size_t i = 0; i < 3; ++i) {
                        auto& r = rows[begin + state * 3 + i];
                        (is_ours ? r.ours : r.theirs).push_back(values[i]);
                    }
                    peak[is_ours] = std::max(peak[is_ours], got.peak_mib);
                    fmt::print("round {} {:<6} {:<24} {:>8.0f} products/s {:>6.0f} us/page, PostgreSQL "
                               "{:>6.0f} us/page\n",
                               round, is_ours ? "ours" : "Node", rows[begin + state * 3].name,
                               got.products_per_second, got.worker_us, got.postgres_us);
                }
            }
            rows.back().ours.push_back(peak[1]);
            rows.back().theirs.push_back(peak[0]);
        }
        show("a");
    }
    return rows;
}

} // namespace tiktrend::bench
