// Adding and processing jobs: our library, BullMQ and bee-queue on one private Redis, round by round in turn.
#include "benches.hpp"
#include "queue_contender.hpp"
#include "redis_meter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace tiktrend::bench {
namespace {

using testing::redis_server;

/// Which job, and beside what.
struct variant {
    const char* suffix;
    bool is_prioritized, has_history;
};
constexpr std::array variants{variant{"", false, false}, variant{"_prioritized", true, false},
                              variant{"_history", false, true}, variant{"_prioritized_history", true, true}};

/// Adds some jobs in one way and processes them in another. Calls that wait for one another get a tenth of
/// the jobs.
struct pair {
    const char *add, *process;
    const char* add_work;
    int add_concurrency, process_concurrency, part;
};
constexpr std::array pairs{pair{"queue_add_alone", "queue_process_1", "add", 1, 1, 10},
                           pair{"queue_add_single", "queue_process_10", "add", 100, 10, 1},
                           pair{"queue_add_bulk", "queue_process", "add_bulk", 1000, 100, 1}};

struct goals {
    const char *rate, *redis, *client;
};
const std::map<std::string, goals> goals_of{{"queue_add_single", {">= 2", "<= 0.5", ""}},
                                            {"queue_add_bulk", {">= 3", "<= 0.33", ""}},
                                            {"queue_process", {">= 2.5", "<= 0.5", "<= 0.2"}}};

/// What one side reached: by the row's name, round by round.
class results {
public:
    void note(const std::string& name, const char* unit, const char* goal, double value) {
        auto [at, is_new] = places_.try_emplace(name, all_.size());
        if (is_new) all_.push_back({name, unit, goal, {}});
        all_[at->second].values.push_back(value);
    }
    void note(const std::string& name, const std::string& base, const queue_cost& c, bool in_scripts) {
        const auto found = goals_of.find(base);
        const auto g = found == goals_of.end() ? goals{"", "", ""} : found->second;
        note(name, "jobs/s", g.rate, c.jobs_per_second);
        note(name + "_redis", "us/job", g.redis, c.redis_us);
        if (in_scripts) note(name + "_commands", "us/job", "", c.command_us);
        note(name + "_client", "us/job", g.client, c.client_us);
    }

    /// What both have. The goals are those beside BullMQ.
    std::vector<row> beside(const results& theirs, const std::string& peer, bool with_goals) const {
        std::vector<row> out;
        for (const auto& entry : all_)
            if (const auto at = theirs.places_.find(entry.name); at != theirs.places_.end())
                out.push_back({entry.name, entry.unit, peer, with_goals ? entry.goal : "", entry.values,
                               theirs.all_[at->second].values});
        return out;
    }

private:
    struct entry {
        std::string name, unit, goal;
        std::vector<double> values;
    };
    std::vector<entry> all_; ///< in the order of their first values
    std::map<std::string, std::size_t> places_;
};

double percentile(const std::vector<double>& ascending, double share) {
    const auto last = static_cast<double>(ascending.size() - 1);
    return ascending[static_cast<std::size_t>(share * last + 0.5)];
}

struct side {
    queue_contender contender;
    /// Its queues have priorities, all its work is in scripts, and its history can be made by ours.
    bool is_bullmq;
    results reached{};
};

class queue_bench {
public:
    explicit queue_bench(const settings& s)
        : s_{s}, filler_{"filler", bullmq_, redis_, program("/tiktrend-bench-queue-load")},
          sides_{side{{"ours", bullmq_, redis_, program("/tiktrend-bench-queue-load")}, true},
                 side{{s.version_of_bullmq, bullmq_, redis_, peer("/queue.mjs")}, true},
                 side{{"bee-queue 2.0.0", bee_, redis_, peer("/bee.mjs")}, false}} {}

    std::vector<row> run() {
        // The first round warms all up (Node's compiler, Redis's script cache) with less work and does not
        // count.
        for (int round = 0; round <= s_.rounds; ++round) {
            const auto share = round == 0 ? 10 : 1;
            for (std::size_t turn = 0; turn < sides_.size(); ++turn) {
                auto& who = sides_[(static_cast<std::size_t>(round) + turn) % sides_.size()];
                measure(who, s_.jobs / share, s_.history / share, round);
            }
            if (round == 0)
                for (auto& each : sides_)
                    each.reached = {};
        }
        for (auto& each : sides_)
            each.reached.note("queue_client_memory", "MiB", "", each.contender.peak_mib());
        auto rows = sides_[0].reached.beside(sides_[1].reached, sides_[1].contender.name(), true);
        const auto bee = sides_[0].reached.beside(sides_[2].reached, sides_[2].contender.name(), false);
        rows.insert(rows.end(), bee.begin(), bee.end());
        return rows;
    }

private:
    using command = std::function<std::vector<std::string>(const std::string& fd)>;
    command program(const char* name) const {
        return [file = s_.programs + name, url = redis_.url()](const std::string& fd) {
            return std::vector<std::string>{file, fd, url};
        };
    }
    command peer(const char* name) const {
        return [file = s_.peers + name, url = redis_.url()](const std::string& fd) {
            return std::vector<std::string>{"node", file, fd, url};
        };
    }

    void flush() { redis_.command({"FLUSHALL"}); }

    void measure(side& who, int jobs, int history, int round) {
        for (const auto& v : variants) {
            if (!who.is_bullmq && (v.is_prioritized || v.has_history)) continue;
            flush();
            if (v.has_history) { // the same layout, so ours makes it for both, outside of what is measured
                filler_.measure({"add_bulk", history, 1000});
                filler_.measure({"process", history, 500});
            }
            std::string line;
            for (const auto& p : pairs) {
                if (!v.has_history) flush();
                const auto n = std::max(100, jobs / p.part);
                const auto add = who.contender.measure({p.add_work, n, p.add_concurrency, v.is_prioritized});
                const auto process =
                    who.contender.measure({"process", n, p.process_concurrency, v.is_prioritized});
                who.reached.note(std::string{p.add} + v.suffix, p.add, add, who.is_bullmq);
                who.reached.note(std::string{p.process} + v.suffix, p.process, process, who.is_bullmq);
                line += fmt::format(" {:>7.0f}/{:<7.0f}", add.jobs_per_second, process.jobs_per_second);
            }
            fmt::print("round {} {:<15}{:<21} add/process jobs/s:{}\n", round, who.contender.name(), v.suffix,
                       line);
        }
        measure_latency(who, std::clamp(jobs / 30, 20, 1000));
        measure_memory(who, history);
    }

    void measure_latency(side& who, int jobs) {
        flush();
        const auto all = who.contender.latencies(jobs);
        who.reached.note("queue_latency_median", "us", "<= 0.5", percentile(all, 0.5));
        who.reached.note("queue_latency_p99", "us", "<= 0.5", percentile(all, 0.99));
    }

    /// Of as many jobs as the history has, told for 100,000: what is kept once (the stream of events) weighs
    /// less with more.
    void measure_memory(side& who, int jobs) {
        flush();
        const auto empty = used_mib_of(redis_);
        const auto per_100000 = [&] { return (used_mib_of(redis_) - empty) / jobs * 100'000; };
        who.contender.measure({"add_bulk", jobs, 1000});
        who.reached.note("queue_redis_memory_waiting", "MiB", "", per_100000());
        who.contender.measure({"process", jobs, 100});
        who.reached.note("queue_redis_memory_completed", "MiB", "", per_100000());
    }

    const settings& s_;
    const queue_contender::layout bullmq_{"LLEN", "bull:bench:wait", "ZCARD", "bull:bench:completed"};
    const queue_contender::layout bee_{"LLEN", "bq:bench:waiting", "SCARD", "bq:bench:succeeded"};
    redis_server redis_;
    queue_contender filler_;
    std::array<side, 3> sides_;
};

} // namespace

std::vector<row> run_queue_bench(const settings& s) {
    return queue_bench{s}.run();
}

} // namespace tiktrend::bench
