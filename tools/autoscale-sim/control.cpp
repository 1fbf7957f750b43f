#include "control.hpp"

#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <numeric>

namespace tiktrend::autoscale {
namespace {

using clock = std::chrono::steady_clock;
constexpr auto tick = std::chrono::milliseconds{250};
constexpr moment sample_period{1};

/// What the HPA controller makes of the items that it gets: their sum, or nothing if there is none.
std::optional<double> total(const std::optional<std::vector<double>>& items) {
    if (!items || items->empty()) return std::nullopt;
    return std::accumulate(items->begin(), items->end(), 0.0);
}

/// Returns early on a signal.
void pause(std::chrono::milliseconds t) {
    const std::timespec request{0, static_cast<long>(t.count()) * 1'000'000};
    ::nanosleep(&request, nullptr);
}

void print(moment at, std::optional<double> depth, int replicas, int wanted) {
    fmt::print("{:7.1f} s  depth {:>5}  workers {:>2} -> {}\n", at.count(),
               depth ? fmt::format("{:.0f}", *depth) : "none", replicas, wanted);
    std::fflush(stdout);
}

class loop {
public:
    loop(const control_settings& s, const prometheus& source, worker_processes& fleet)
        : settings_{s}, source_{source}, fleet_{fleet}, autoscaler_{s.autoscaler} {}

    std::vector<sample> run(const volatile std::sig_atomic_t& stop) {
        for (int i = 0; i < settings_.autoscaler.min_replicas; ++i)
            fleet_.start();
        moment next_sync{0}, next_sample{0};
        while (!stop && now() < settings_.at_most && !is_over()) {
            fleet_.reap(now());
            if (now() >= next_sample) {
                take_sample();
                next_sample += sample_period;
            }
            if (now() >= next_sync) {
                scale();
                next_sync += settings_.autoscaler.sync_period;
            }
            pause(tick);
        }
        take_sample();
        fleet_.stop_all(now());
        while (!fleet_.none_left()) {
            fleet_.reap(now());
            pause(tick);
        }
        return std::move(samples_);
    }

private:
    moment now() const { return clock::now() - start_; }

    // A process that died is replaced at once, as a ReplicaSet does; the fleet's size is what was last asked
    // for.
    void scale() {
        depth_ = total(source_.query(settings_.query));
        wanted_ = std::max(wanted_, settings_.autoscaler.min_replicas);
        const int current = wanted_;
        wanted_ = autoscaler_.sync(now(), current, depth_);
        if (wanted_ != current) print(now(), depth_, current, wanted_);
        if (depth_ && *depth_ > settings_.autoscaler.average_value * settings_.autoscaler.min_replicas)
            had_burst_ = true;
        while (fleet_.replicas() < wanted_)
            fleet_.start();
        while (fleet_.replicas() > wanted_)
            fleet_.stop_youngest(now());
    }

    void take_sample() {
        const auto seen = total(source_.query(settings_.query));
        const double depth = seen ? *seen : samples_.empty() ? 0 : samples_.back().depth;
        samples_.push_back({now(), depth, fleet_.replicas(), fleet_.taking_jobs(), !seen});
        if (!settings_.targets.empty()) fleet_.write_targets(settings_.targets);
    }

    bool is_over() const {
        return settings_.until_idle && had_burst_ && depth_ && *depth_ == 0 &&
               wanted_ == settings_.autoscaler.min_replicas;
    }

    const control_settings& settings_;
    const prometheus& source_;
    worker_processes& fleet_;
    hpa autoscaler_;
    clock::time_point start_ = clock::now();
    std::optional<double> depth_;
    int wanted_ = 0;
    bool had_burst_ = false;
    std::vector<sample> samples_;
};

} // namespace

std::vector<sample> control(const control_settings& settings, const prometheus& source,
                            worker_processes& fleet, const volatile std::sig_atomic_t& stop) {
    return loop{settings, source, fleet}.run(stop);
}

void watch(const control_settings& settings, const prometheus& source, const std::string& replicas,
           const volatile std::sig_atomic_t& stop) {
    hpa autoscaler{settings.autoscaler};
    const auto start = clock::now();
    moment next{0};
    while (!stop) {
        const moment now = clock::now() - start;
        if (now >= settings.at_most) return;
        if (now >= next) {
            const auto depth = total(source.query(settings.query));
            const int current = static_cast<int>(std::lround(total(source.query(replicas)).value_or(0)));
            print(now, depth, current, autoscaler.sync(now, current, depth));
            next += settings.autoscaler.sync_period;
        }
        pause(tick);
    }
}

} // namespace tiktrend::autoscale
