// POST /scraping/start and the cached GET /products: the gateway beside Fastify, and beside a Beast server
// that does nothing.
#include "benches.hpp"
#include "process_usage.hpp"
#include "startup.hpp"
#include "wrk.hpp"

#include <tiktrend/testing/line_peer.hpp>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <stdexcept>

namespace tiktrend::bench {
namespace {

using testing::line_peer;

/// A server under load.
struct target {
    std::string url;
    pid_t pid;
};

target target_of(line_peer& peer) {
    const auto port = boost::json::parse(peer.receive(std::chrono::seconds{30})).at("port").to_number<int>();
    return {fmt::format("http://127.0.0.1:{}", port), peer.child().pid()};
}

/// Thrown-away jobs would fill the queue's memory.
void flush_queue() {
    if (testing::run({"redis-cli", "-u", environment("REDIS_QUEUE_URL"), "FLUSHALL"}, [] {
            testing::process::options quiet;
            quiet.output = "/dev/null";
            return quiet;
        }()) != 0)
        throw std::runtime_error("cannot flush the queue");
}

/// With how busy both ends were, so that one sees which of them was the limit.
std::string summary(const http_load& l) {
    return fmt::format("{:>7.0f}/s, p99 {:.1f} ms, server {:.0f} %, wrk {:.0f} %", l.requests_per_second,
                       l.p99_ms, 100 * l.server_share, 100 * l.wrk_share);
}

struct comparison {
    row speed;
    row cpu;

    comparison(const std::string& name, const std::string& peer, const char* goal)
        : speed{name, "req/s", peer, goal, {}, {}}, cpu{name + "_server", "us/req", peer, "", {}, {}} {}
    void note(bool is_ours, const http_load& load) {
        (is_ours ? speed.ours : speed.theirs).push_back(load.requests_per_second);
        (is_ours ? cpu.ours : cpu.theirs).push_back(load.server_us);
    }
};

std::unique_ptr<line_peer> start_fastify(const settings& s) {
    return std::make_unique<line_peer>("Fastify", [&](const std::string& fd) {
        return std::vector<std::string>{"node",
                                        s.peers + "/http.mjs",
                                        fd,
                                        environment("REDIS_QUEUE_URL"),
                                        environment("REDIS_CACHE_URL"),
                                        environment("API_KEY")};
    });
}

/// From starting the program to being able to answer, its Redis and PostgreSQL being up.
row measure_start(const settings& s, const target& gateway) {
    row start{"gateway_start", "ms", "Fastify 5 + " + s.version_of_bullmq, "ours <= 150", {}, {}};
    for (int round = 0; round <= s.rounds; ++round) {
        const auto ours = milliseconds_to_ready(gateway.pid, "GATEWAY_PORT");
        const auto begin = std::chrono::steady_clock::now();
        const auto fastify = start_fastify(s);
        target_of(*fastify);
        const std::chrono::duration<double, std::milli> theirs = std::chrono::steady_clock::now() - begin;
        if (round == 0) continue; // from the disk
        start.ours.push_back(ours);
        start.theirs.push_back(theirs.count());
    }
    return start;
}

} // namespace

std::vector<row> run_http_bench(const settings& s) {
    const auto scripts = s.peers + "/../wrk";
    const target gateway{environment("GATEWAY_URL"), std::stoi(environment("GATEWAY_PID"))};
    const auto start = measure_start(s, gateway);
    const auto fastify = start_fastify(s);
    line_peer echo{"Beast", [&](const std::string& fd) {
                       return std::vector<std::string>{s.programs + "/tiktrend-bench-echo", fd,
                                                       environment("BODY_FILE")};
                   }};
    const auto node = target_of(*fastify);
    const auto bare = target_of(echo);

    comparison post{"post_scraping_start", "Fastify 5 + " + s.version_of_bullmq, ">= 4"};
    comparison get{"get_products_cached", "Fastify 5 + ioredis", ">= 4"};
    comparison bound{"get_products_vs_beast", "bare Beast, 1 thread", ">= 0.75"};
    // As with the queue, the first round does not count.
    for (int round = 0; round <= s.rounds; ++round) {
        const auto load = [&](const target& t, const char* path, const char* script) {
            const auto result = run_wrk(t.url + path, scripts, {script}, s.seconds, t.pid, s.load_cpu);
            flush_queue();
            return result;
        };
        for (int turn = 0; turn < 2; ++turn) {
            const bool is_ours = (round + turn) % 2 == 0;
            const auto& who = is_ours ? gateway : node;
            const auto posts = load(who, "/scraping/start", "start.lua");
            const auto gets = load(who, "/products?limit=20", "get.lua");
            if (round == 0) continue;
            post.note(is_ours, posts);
            get.note(is_ours, gets);
            if (is_ours) bound.note(true, gets);
            fmt::print("round {} {:<8} POST {}   GET {}\n", round, is_ours ? "gateway" : "Fastify",
                       summary(posts), summary(gets));
        }
        const auto gets = load(bare, "/", "get.lua");
        if (round == 0) continue;
        bound.note(false, gets);
        fmt::print("round {} {:<8} GET {}\n", round, "Beast", summary(gets));
    }
    row memory{"gateway_peak_memory",
               "MiB",
               "Fastify 5 + " + s.version_of_bullmq,
               "ours <= 60",
               {peak_mib_of(gateway.pid)},
               {peak_mib_of(node.pid)}};
    return {post.speed, post.cpu, get.speed, get.cpu, bound.speed, bound.cpu, memory, start};
}

} // namespace tiktrend::bench
