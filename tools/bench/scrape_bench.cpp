// A shop's pages into PostgreSQL: our worker beside a Node worker of BullMQ, undici and pg; first all
// products new, then none changed, then the price of every twentieth.
#include "benches.hpp"
#include "pages_bench.hpp"
#include "process_usage.hpp"
#include "scrape_api.hpp"
#include "startup.hpp"

#include <tiktrend/testing/line_peer.hpp>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace tiktrend::bench {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::line_peer;

struct scrape {
    double products_per_second;
    double worker_us_per_page;
};

/// `products` of a finished job are checked, so that nothing is fast by doing less.
scrape scrape_ours(pid_t worker, int products) {
    const auto cpu = cpu_seconds_of(worker);
    const auto started =
        api({"--header", "Content-Type: application/json", "--data", environment("START_BODY")},
            "/scraping/start");
    const auto path = "/scraping/jobs/" + std::string{started.at("job_id").as_string()};
    json::object job;
    const bool ended = testing::poll_until(
        [&] {
            job = api({}, path);
            return job.at("state") == "completed" || job.at("state") == "failed";
        },
        120s);
    if (!ended || job.at("state") != "completed")
        throw std::runtime_error("our job: " + json::serialize(job));
    const auto& result = job.at("result").as_object();
    if (result.at("products_found") != products)
        throw std::runtime_error("our job: " + json::serialize(result));
    const auto seconds =
        (milliseconds_of(job.at("finished_at")) - milliseconds_of(job.at("created_at"))) / 1000;
    return {products / seconds,
            (cpu_seconds_of(worker) - cpu) * 1e6 / result.at("pages").to_number<double>()};
}

scrape scrape_theirs(line_peer& peer, int products) {
    const auto filters = json::parse(environment("START_BODY")).at("filters");
    peer.send(json::serialize(filters));
    const auto answer = json::parse(peer.receive(2min)).as_object();
    if (!answer.contains("products") || answer.at("products") != products)
        throw std::runtime_error("their job: " + json::serialize(answer));
    return {products / answer.at("seconds").to_number<double>(),
            answer.at("cpu_seconds").to_number<double>() * 1e6 / answer.at("pages").to_number<double>()};
}

/// The shop moves the price of every twentieth product, for both sides the same ones.
void change_a_twentieth() {
    output_of({"curl", "--silent", "--fail-with-body", "--request", "POST",
               environment("DEMO_SHOP_URL") + "/_control/reprice?every=20"});
}

std::unique_ptr<line_peer> start_node(const settings& s) {
    auto node = std::make_unique<line_peer>("Node", [&](const std::string& fd) {
        return std::vector<std::string>{"node", s.peers + "/scrape.mjs", fd, environment("REDIS_QUEUE_URL"),
                                        environment("DATABASE_URL")};
    });
    node->receive(30s); // it is ready, its table made
    return node;
}

/// From starting the program to being ready for jobs, its Redis and PostgreSQL being up.
row measure_start(const settings& s, pid_t worker, const std::string& peer) {
    row start{"worker_start", "ms", peer, "ours <= 150", {}, {}};
    for (int round = 0; round <= s.rounds; ++round) {
        const auto ours = milliseconds_to_ready(worker, "METRICS_PORT");
        const auto begin = std::chrono::steady_clock::now();
        const auto node = start_node(s);
        const std::chrono::duration<double, std::milli> theirs = std::chrono::steady_clock::now() - begin;
        if (round == 0) continue; // from the disk
        start.ours.push_back(ours);
        start.theirs.push_back(theirs.count());
    }
    return start;
}

/// Both workers with 200 jobs at once, and the most memory that each has held up to their end.
row measure_memory(pid_t worker, line_peer& node, const std::string& peer) {
    constexpr int jobs = 200;
    std::vector<std::string> ids;
    for (int i = 0; i < jobs; ++i) {
        const auto started =
            api({"--header", "Content-Type: application/json", "--data", environment("START_BODY")},
                "/scraping/start");
        ids.emplace_back(started.at("job_id").as_string());
    }
    for (const auto& id : ids)
        if (!testing::poll_until([&] { return api({}, "/scraping/jobs/" + id).at("state") == "completed"; },
                                 300s))
            throw std::runtime_error("our job " + id + " is not done after five minutes");
    auto order = json::parse(environment("START_BODY")).at("filters").as_object();
    order["jobs"] = jobs;
    node.send(json::serialize(order));
    const auto answer = json::parse(node.receive(5min)).as_object();
    if (!answer.contains("products")) throw std::runtime_error("their jobs: " + json::serialize(answer));
    return {"worker_peak_memory",
            "MiB",
            peer,
            "ours <= 40",
            {peak_mib_of(worker)},
            {peak_mib_of(node.child().pid())}};
}

} // namespace

std::vector<row> run_scrape_bench(const settings& s) {
    const auto products = std::stoi(environment("PRODUCTS"));
    const auto worker = std::stoi(environment("WORKER_PID"));
    const auto peer = s.version_of_bullmq + " + undici + pg";
    const auto start = measure_start(s, worker, peer);
    const auto node = start_node(s);

    row fresh{"scrape_new", "prod/s", peer, "", {}, {}};
    row fresh_cpu{"scrape_new_worker", "us/page", peer, "<= 0.2", {}, {}};
    row again{"scrape_unchanged", "prod/s", peer, ">= 5", {}, {}};
    row again_cpu{"scrape_unchanged_worker", "us/page", peer, "", {}, {}};
    row some{"scrape_changed_5", "prod/s", peer, "", {}, {}};
    row some_cpu{"scrape_changed_5_worker", "us/page", peer, "", {}, {}};
    for (int round = 0; round <= s.rounds; ++round) {
        forget_products();
        for (auto [speed, cpu] :
             {std::pair{&fresh, &fresh_cpu}, std::pair{&again, &again_cpu}, std::pair{&some, &some_cpu}}) {
            if (speed == &some) change_a_twentieth();
            for (int turn = 0; turn < 2; ++turn) {
                const bool is_ours = (round + turn) % 2 == 0;
                const auto result = is_ours ? scrape_ours(worker, products) : scrape_theirs(*node, products);
                if (round == 0) continue; // warms both sides up
                (is_ours ? speed->ours : speed->theirs).push_back(result.products_per_second);
                (is_ours ? cpu->ours : cpu->theirs).push_back(result.worker_us_per_page);
                fmt::print("round {} {:<6} {:<17} {:>8.0f} products/s {:>7.0f} us/page\n", round,
                           is_ours ? "ours" : "Node", speed->name, result.products_per_second,
                           result.worker_us_per_page);
            }
        }
    }
    std::vector<row> rows{
        fresh, fresh_cpu, again, again_cpu, some, some_cpu, measure_memory(worker, *node, peer), start};
    const auto many = measure_pages(s, worker, *node, peer);
    rows.insert(rows.end(), many.begin(), many.end());
    return rows;
}

} // namespace tiktrend::bench
