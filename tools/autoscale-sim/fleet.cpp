#include "fleet.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numbers>
#include <random>

namespace tiktrend::autoscale {
namespace {

constexpr moment step{1};

struct job {
    moment arrived;
    moment length;
    moment ends{0};
    bool has_started = false;
    std::size_t releases = 0;
};

struct worker {
    moment ready_at;
    std::vector<job> running;
    bool is_draining = false;
    moment drain_ends{0};
};

class simulation {
public:
    simulation(const trace& t, const fleet_settings& s)
        : trace_{t}, settings_{s}, autoscaler_{s.autoscaler}, random_{t.seed}, start_delay_{t.start_delay} {
        for (int i = 0; i < s.autoscaler.min_replicas; ++i)
            workers_.push_back({.ready_at = moment{0}, .running = {}});
    }

    outcome run() {
        moment next_sync{0};
        for (now_ = moment{0}; now_ <= trace_.length; now_ += step) {
            happen();
            arrive();
            finish();
            if (now_ >= next_sync) {
                scale();
                next_sync += settings_.autoscaler.sync_period;
            }
            start_jobs();
            record();
        }
        out_.unfinished = waiting_.size() + running();
        return std::move(out_);
    }

private:
    void happen() {
        for (; next_event_ < trace_.events.size() && trace_.events[next_event_].at <= now_; ++next_event_) {
            const auto& e = trace_.events[next_event_];
            switch (e.what) {
            case trace::kind::rate:
                rate_ = e.value;
                has_rate_ = true;
                break;
            case trace::kind::burst:
                for (int i = 0; i < static_cast<int>(e.value); ++i)
                    add_job();
                break;
            case trace::kind::lose:
                for (int i = 0; i < static_cast<int>(e.value); ++i) {
                    drain_one(); // and its ReplicaSet asks for another at once
                    workers_.push_back({.ready_at = now_ + start_delay_, .running = {}});
                }
                break;
            case trace::kind::blind:
                blind_until_ = now_ + moment{e.value};
                break;
            case trace::kind::slow:
                start_delay_ = moment{e.value};
                break;
            }
        }
    }

    void arrive() {
        double rate = rate_;
        if (!has_rate_ && trace_.day.count() > 0) {
            const double angle = 2 * std::numbers::pi * now_.count() / trace_.day.count();
            rate = trace_.day_low + (trace_.day_high - trace_.day_low) * (1 - std::cos(angle)) / 2;
        }
        if (rate <= 0) return;
        std::poisson_distribution<int> arrivals{rate * step.count()};
        for (int n = arrivals(random_); n > 0; --n)
            add_job();
    }

    void add_job() {
        std::uniform_real_distribution<double> spread{1 - trace_.job_spread, 1 + trace_.job_spread};
        waiting_.push_back({.arrived = now_, .length = trace_.job_mean * spread(random_)});
        ++out_.arrived;
    }

    void finish() {
        for (auto& w : workers_) {
            out_.finished += std::erase_if(w.running, [&](const job& j) { return j.ends <= now_; });
            if (!w.is_draining || w.drain_ends > now_) continue;
            for (auto& j : w.running) { // released: to the front, no attempt spent
                ++out_.released;
                out_.most_releases = std::max(out_.most_releases, ++j.releases);
                waiting_.push_front(j);
            }
            w.running.clear();
        }
        std::erase_if(workers_, [](const worker& w) { return w.is_draining && w.running.empty(); });
    }

    void scale() {
        const int current = replicas();
        std::optional<double> seen;
        if (now_ >= blind_until_) seen = depth_as_seen();
        const int wanted = autoscaler_.sync(now_, current, seen);
        for (int i = current; i < wanted; ++i)
            workers_.push_back({.ready_at = now_ + start_delay_, .running = {}});
        for (int i = current; i > wanted; --i)
            drain_one();
    }

    // The youngest, which is the order in which a ReplicaSet gives pods up: not ready before ready, then the
    // younger.
    void drain_one() {
        for (auto w = workers_.rbegin(); w != workers_.rend(); ++w) {
            if (w->is_draining) continue;
            w->is_draining = true;
            w->drain_ends = now_ + settings_.drain_timeout;
            return;
        }
    }

    double depth_as_seen() const {
        for (auto s = out_.samples.rbegin(); s != out_.samples.rend(); ++s)
            if (s->at <= now_ - trace_.stale) return s->depth;
        return 0;
    }

    void start_jobs() {
        for (auto& w : workers_) {
            if (w.is_draining || w.ready_at > now_) continue;
            while (!waiting_.empty() && w.running.size() < static_cast<std::size_t>(settings_.concurrency)) {
                auto j = waiting_.front();
                waiting_.pop_front();
                if (!j.has_started) out_.waits.push_back((now_ - j.arrived).count());
                j.has_started = true;
                j.ends = now_ + j.length;
                w.running.push_back(j);
            }
        }
    }

    std::size_t running() const {
        std::size_t n = 0;
        for (const auto& w : workers_)
            n += w.running.size();
        return n;
    }

    int replicas() const {
        return static_cast<int>(
            std::ranges::count_if(workers_, [](const worker& w) { return !w.is_draining; }));
    }

    void record() {
        const auto ready = std::ranges::count_if(
            workers_, [&](const worker& w) { return !w.is_draining && w.ready_at <= now_; });
        out_.samples.push_back({now_, static_cast<double>(waiting_.size() + running()), replicas(),
                                static_cast<int>(ready), now_ < blind_until_});
        out_.peak = std::max(out_.peak, replicas());
        out_.worker_hours += static_cast<double>(workers_.size()) * step.count() / 3600;
    }

    const trace& trace_;
    const fleet_settings& settings_;
    hpa autoscaler_;
    std::mt19937_64 random_;
    moment start_delay_;
    moment now_{0};
    moment blind_until_{0};
    std::size_t next_event_ = 0;
    double rate_ = 0;
    bool has_rate_ = false;
    std::deque<job> waiting_;
    std::deque<worker> workers_; ///< the oldest first
    outcome out_;
};

} // namespace

outcome simulate(const trace& t, const fleet_settings& settings) {
    return simulation{t, settings}.run();
}

double percentile(std::vector<double> values, double p) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const auto rank = static_cast<std::size_t>(std::ceil(p / 100 * static_cast<double>(values.size())));
    return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

} // namespace tiktrend::autoscale
