// Reads of products that no cache holds, out of a million, and of a page that every cache holds: the gateway
// beside Fastify with pg, and FastAPI with asyncpg, all on one PostgreSQL.
#include "benches.hpp"
#include "wrk.hpp"

#include <tiktrend/testing/line_peer.hpp>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <memory>

namespace tiktrend::bench {
namespace {

using testing::line_peer;

constexpr int people = 64; ///< connections of the uncached reads

/// A server under load.
struct side {
    std::string name;
    std::string url;
    pid_t pid;
};

std::string url_of(line_peer& peer) {
    const auto port = boost::json::parse(peer.receive(std::chrono::seconds{60})).at("port").to_number<int>();
    return fmt::format("http://127.0.0.1:{}", port);
}

std::unique_ptr<line_peer> start_fastify(const settings& s) {
    return std::make_unique<line_peer>("Fastify", [&](const std::string& fd) {
        return std::vector<std::string>{"node",
                                        s.peers + "/reads.mjs",
                                        fd,
                                        environment("DATABASE_URL"),
                                        environment("REDIS_CACHE_URL"),
                                        environment("API_KEY")};
    });
}

std::unique_ptr<line_peer> start_fastapi(const settings& s) {
    return std::make_unique<line_peer>("FastAPI", [&](const std::string& fd) {
        return std::vector<std::string>{"/usr/bin/python3", // Debian's, which has the packages
                                        s.peers + "/reads_api.py", fd, environment("DATABASE_URL"),
                                        environment("API_KEY")};
    });
}

/// What every kind of read is measured by, against one peer.
struct kind_rows {
    row speed, cpu, p50, p95, p99;

    kind_rows(const std::string& kind, const std::string& peer, const std::string& goal_of_p95)
        : speed{"read_" + kind, "req/s", peer, "", {}, {}},
          cpu{"read_" + kind + "_server", "us/req", peer, "", {}, {}},
          p50{"read_" + kind + "_half_p50", "ms", peer, "", {}, {}},
          p95{"read_" + kind + "_half_p95", "ms", peer, goal_of_p95, {}, {}},
          p99{"read_" + kind + "_half_p99", "ms", peer, "", {}, {}} {}

    void note(bool is_ours, const http_load& full, const http_load& half) {
        const auto add = [is_ours](row& r, double value) { (is_ours ? r.ours : r.theirs).push_back(value); };
        add(speed, full.requests_per_second);
        add(cpu, full.server_us);
        add(p50, half.p50_ms);
        add(p95, half.p95_ms);
        add(p99, half.p99_ms);
    }
    void append_to(std::vector<row>& out) const {
        for (const auto& r : {speed, cpu, p50, p95, p99})
            out.push_back(r);
    }
};

class reads_bench {
public:
    explicit reads_bench(const settings& s)
        : settings_{s}, scripts_{s.peers + "/../wrk"}, fastify_{start_fastify(s)},
          ours_{"gateway", environment("GATEWAY_URL"), std::stoi(environment("GATEWAY_PID"))},
          far_{"gateway", environment("FAR_GATEWAY_URL"), std::stoi(environment("FAR_GATEWAY_PID"))},
          node_{"Fastify", url_of(*fastify_), fastify_->child().pid()} {
        if (environment("WITH_FASTAPI") != "1") return;
        fastapi_ = start_fastapi(s);
        python_ = {"FastAPI", url_of(*fastapi_), fastapi_->child().pid()};
    }

    std::vector<row> run() {
        std::vector<row> out;
        for (const auto& [kind, goal] :
             {std::pair{"pk", "ours <= 20"}, {"filter", "ours <= 20"}, {"text", "ours <= 50"}})
            measure_kind(kind, goal, out);
        for (const int connections : {1, 64, 512}) {
            measure_page("cached", ours_, connections, false, out);
            measure_page("redis", far_, connections, false, out);
            measure_page("304", ours_, connections, true, out);
        }
        return out;
    }

private:
    /// As fast as it goes, then at half of that.
    std::pair<http_load, http_load> load(const side& who, const std::string& kind, int round) {
        wrk_requests w{"reads.lua",
                       people,
                       {{"BENCH_KIND", kind},
                        {"BENCH_SEED", std::to_string(2 * round + 1)},
                        {"BENCH_PRODUCTS", environment("PRODUCTS")},
                        {"BENCH_WORDS", environment("WORDS_FILE")}}};
        const auto full = run_wrk(who.url, scripts_, w, settings_.seconds, who.pid, settings_.load_cpu);
        w.environment["BENCH_RATE"] = fmt::format("{:.0f}", full.requests_per_second / 2);
        w.environment["BENCH_SEED"] = std::to_string(2 * round + 2);
        const auto half = run_wrk(who.url, scripts_, w, settings_.seconds, who.pid, settings_.load_cpu);
        fmt::print("{:<6} round {} {:<8} {:>7.0f}/s, server {:.0f} %; at {:>6.0f}/s p50 {:.1f} p95 {:.1f} "
                   "p99 {:.1f} ms\n",
                   kind, round, who.name, full.requests_per_second, 100 * full.server_share,
                   half.requests_per_second, half.p50_ms, half.p95_ms, half.p99_ms);
        return {full, half};
    }

    void measure_kind(const std::string& kind, const std::string& goal, std::vector<row>& out) {
        kind_rows beside_node{kind, "Fastify 5 + pg", goal};
        kind_rows beside_python{kind + "_fastapi", "FastAPI 0.92 + asyncpg", ""};
        for (int round = 0; round <= settings_.rounds; ++round)
            for (int turn = 0; turn < 2; ++turn) {
                const bool is_ours = (round + turn) % 2 == 0;
                const auto [full, half] = load(is_ours ? ours_ : node_, kind, round);
                if (round == 0) continue;
                beside_node.note(is_ours, full, half);
                if (is_ours) beside_python.note(true, full, half);
                if (is_ours || !fastapi_) continue;
                const auto [python_full, python_half] = load(python_, kind, round);
                beside_python.note(false, python_full, python_half);
            }
        beside_node.append_to(out);
        if (fastapi_) beside_python.append_to(out);
    }

    void measure_page(const char* what, const side& ours, int connections, bool revalidates,
                      std::vector<row>& out) {
        const auto name = fmt::format("get_page_{}_{}", what, connections);
        row speed{name, "req/s", "Fastify 5 + ioredis", "", {}, {}};
        row p95{name + "_p95", "ms", "Fastify 5 + ioredis", "", {}, {}};
        const wrk_requests w{
            "again.lua", connections, {{"BENCH_ETAG", revalidates ? environment("ETAG") : ""}}};
        for (int round = 0; round <= settings_.rounds; ++round)
            for (int turn = 0; turn < 2; ++turn) {
                const bool is_ours = (round + turn) % 2 == 0;
                const auto& who = is_ours ? ours : node_;
                const auto l = run_wrk(who.url + "/products?limit=20", scripts_, w, settings_.seconds,
                                       who.pid, settings_.load_cpu);
                if (round == 0) continue;
                (is_ours ? speed.ours : speed.theirs).push_back(l.requests_per_second);
                (is_ours ? p95.ours : p95.theirs).push_back(l.p95_ms);
                fmt::print("{} round {} {:<8} {:>7.0f}/s, p50 {:.2f} p95 {:.2f} p99 {:.2f} ms\n", name, round,
                           who.name, l.requests_per_second, l.p50_ms, l.p95_ms, l.p99_ms);
            }
        out.push_back(std::move(speed));
        out.push_back(std::move(p95));
    }

    const settings& settings_;
    std::string scripts_;
    std::unique_ptr<line_peer> fastify_, fastapi_;
    side ours_;
    side far_; ///< ours, without a near cache
    side node_, python_{};
};

} // namespace

std::vector<row> run_reads_bench(const settings& s) {
    return reads_bench{s}.run();
}

} // namespace tiktrend::bench
