// Adding and processing jobs: our library and BullMQ on one private Redis, round by round in turn.
#include "benches.hpp"
#include "redis_meter.hpp"

#include <tiktrend/testing/line_peer.hpp>
#include <tiktrend/testing/redis_server.hpp>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace tiktrend::bench {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::line_peer;
using testing::redis_server;

/// What one side used for one job.
struct cost {
    double jobs_per_second;
    double redis_us;
    double client_us;
};

struct order {
    const char* work;
    int jobs;
    int concurrency;
};

json::object ask(line_peer& who, const order& o) {
    who.send(
        json::serialize(json::object{{"work", o.work}, {"jobs", o.jobs}, {"concurrency", o.concurrency}}));
    auto answer = json::parse(who.receive(5min)).as_object();
    if (const auto* error = answer.if_contains("error"))
        throw std::runtime_error(who.name() + ": " + std::string{error->as_string()});
    return answer;
}

cost measure(line_peer& who, const order& o, const redis_server& redis) {
    const redis_meter meter{redis};
    const auto answer = ask(who, o);
    const auto redis_seconds = meter.seconds();
    return {o.jobs / answer.at("seconds").to_number<double>(), redis_seconds * 1e6 / o.jobs,
            answer.at("cpu_seconds").to_number<double>() * 1e6 / o.jobs};
}

class comparison {
public:
    comparison(const settings& s, std::string name, const char* goal, const char* redis_goal,
               const char* client_goal)
        : rows_{{name, "jobs/s", s.version_of_bullmq, goal, {}, {}},
                {name + "_redis", "us/job", s.version_of_bullmq, redis_goal, {}, {}},
                {name + "_client", "us/job", s.version_of_bullmq, client_goal, {}, {}}} {}

    void note(bool is_ours, const cost& c) {
        const double values[]{c.jobs_per_second, c.redis_us, c.client_us};
        for (std::size_t i = 0; i < rows_.size(); ++i)
            (is_ours ? rows_[i].ours : rows_[i].theirs).push_back(values[i]);
    }
    const std::vector<row>& rows() const { return rows_; }

private:
    std::vector<row> rows_;
};

void expect_count(const redis_server& redis, const char* command, const char* key, int jobs) {
    const auto found = redis.command({command, std::string{"bull:bench:"} + key});
    if (found != std::to_string(jobs))
        throw std::runtime_error(fmt::format("{} jobs in {}, not {}", found, key, jobs));
}

} // namespace

std::vector<row> run_queue_bench(const settings& s) {
    redis_server redis;
    line_peer ours{"ours", [&](const std::string& fd) {
                       return std::vector<std::string>{s.programs + "/tiktrend-bench-queue-load", fd,
                                                       redis.url()};
                   }};
    line_peer theirs{s.version_of_bullmq, [&](const std::string& fd) {
                         return std::vector<std::string>{"node", s.peers + "/queue.mjs", fd, redis.url()};
                     }};
    comparison add{s, "queue_add_single", ">= 2", "<= 0.5", ""};
    comparison bulk{s, "queue_add_bulk", ">= 3", "<= 0.33", ""};
    comparison process{s, "queue_process", ">= 2.5", "<= 0.5", "<= 0.2"};

    // The first round warms both sides up (Node's compiler, Redis's script cache) and does not count.
    for (int round = 0; round <= s.rounds; ++round) {
        for (int turn = 0; turn < 2; ++turn) {
            const bool is_ours = (round + turn) % 2 == 0;
            auto& who = is_ours ? ours : theirs;
            const auto flush = [&] { redis.command({"FLUSHALL"}); };
            flush();
            const auto single = measure(who, {"add", s.jobs, 100}, redis);
            expect_count(redis, "LLEN", "wait", s.jobs);
            flush();
            const auto many = measure(who, {"add_bulk", s.jobs, 1000}, redis);
            expect_count(redis, "LLEN", "wait", s.jobs);
            const auto run = measure(who, {"process", s.jobs, 100}, redis);
            expect_count(redis, "ZCARD", "completed", s.jobs);
            if (round == 0) continue;
            add.note(is_ours, single);
            bulk.note(is_ours, many);
            process.note(is_ours, run);
            fmt::print("round {} {:<13} add {:>7.0f}/s  bulk {:>7.0f}/s  process {:>7.0f}/s\n", round,
                       who.name(), single.jobs_per_second, many.jobs_per_second, run.jobs_per_second);
        }
    }
    std::vector<row> rows;
    for (const auto* c : {&add, &bulk, &process})
        rows.insert(rows.end(), c->rows().begin(), c->rows().end());
    return rows;
}

} // namespace tiktrend::bench
