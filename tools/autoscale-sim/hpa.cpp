#include "hpa.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tiktrend::autoscale {
namespace {

constexpr moment longest{3600}; // both windows and periods are at most an hour

std::vector<scaling_policy> default_up() {
    return {{scaling_policy::unit::pods, 4, moment{15}}, {scaling_policy::unit::percent, 100, moment{15}}};
}

template <class Events>
void forget_old(Events& list, moment now) {
    std::erase_if(list, [&](const auto& e) { return e.first <= now - longest; });
}

template <class Events>
int change_since(const Events& list, moment after) {
    int sum = 0;
    for (const auto& [at, by] : list)
        if (at > after) sum += by;
    return sum;
}

} // namespace

hpa_settings default_settings() {
    hpa_settings s;
    s.up.policies = default_up();
    s.down.stabilization_window = moment{300};
    s.down.policies = {{scaling_policy::unit::percent, 100, moment{15}}};
    return s;
}

hpa_settings shipped_settings() {
    auto s = default_settings();
    s.down.policies = {{scaling_policy::unit::percent, 20, moment{60}}};
    return s;
}

hpa_settings faster(hpa_settings s, double factor) {
    s.sync_period /= factor;
    for (auto* rules : {&s.up, &s.down}) {
        rules->stabilization_window /= factor;
        for (auto& p : rules->policies)
            p.period /= factor;
    }
    return s;
}

int hpa::proposal(int current, double total) const {
    const double ratio = current > 0 ? total / (settings_.average_value * current) : 0;
    const double tolerance = ratio > 1 ? settings_.up.tolerance : settings_.down.tolerance;
    if (current > 0 && std::abs(1 - ratio) <= tolerance) return current;
    return static_cast<int>(std::ceil(total / settings_.average_value));
}

int hpa::sync(moment now, int current, std::optional<double> total) {
    if (current == 0) return 0; // a Deployment of 0 replicas is switched off
    if (recommendations_.empty()) recommendations_.emplace_back(now, current);
    int wanted = current;
    if (current > settings_.max_replicas) {
        wanted = settings_.max_replicas;
    } else if (current < settings_.min_replicas) {
        wanted = settings_.min_replicas;
    } else if (total) {
        wanted = limit_rate(now, current, stabilize(now, current, proposal(current, *total)));
    }
    if (wanted > current) ups_.emplace_back(now, wanted - current);
    if (wanted < current) downs_.emplace_back(now, current - wanted);
    forget_old(ups_, now);
    forget_old(downs_, now);
    return wanted;
}

// stabilizeRecommendationWithBehaviors: never below the lowest recent proposal of the way up, never above …
// of the way down.
int hpa::stabilize(moment now, int current, int proposed) {
    int up = proposed;
    int down = proposed;
    for (const auto& [at, n] : recommendations_) {
        if (at > now - settings_.up.stabilization_window) up = std::min(up, n);
        if (at > now - settings_.down.stabilization_window) down = std::max(down, n);
    }
    int out = current;
    if (out < up) out = up;
    if (out > down) out = down;
    recommendations_.emplace_back(now, proposed);
    forget_old(recommendations_, now);
    return out;
}

int hpa::limit_rate(moment now, int current, int wanted) const {
    if (wanted > current)
        return std::min({wanted, settings_.max_replicas, std::max(current, up_limit(now, current))});
    if (wanted < current)
        return std::max({wanted, settings_.min_replicas, std::min(current, down_limit(now, current))});
    return wanted;
}

int hpa::period_start(moment now, int current, moment period) const {
    return current - change_since(ups_, now - period) + change_since(downs_, now - period);
}

int hpa::up_limit(moment now, int current) const {
    const auto& rules = settings_.up;
    if (rules.select == select_policy::disabled) return current;
    const bool takes_max = rules.select == select_policy::max;
    int out = takes_max ? std::numeric_limits<int>::min() : std::numeric_limits<int>::max();
    for (const auto& p : rules.policies) {
        const int start = period_start(now, current, p.period);
        const int allowed = p.type == scaling_policy::unit::pods
                                ? start + p.value
                                : static_cast<int>(std::ceil(start * (1 + p.value / 100.0)));
        out = takes_max ? std::max(out, allowed) : std::min(out, allowed);
    }
    return out;
}

int hpa::down_limit(moment now, int current) const {
    const auto& rules = settings_.down;
    if (rules.select == select_policy::disabled) return current;
    const bool takes_max_change = rules.select == select_policy::max;
    int out = takes_max_change ? std::numeric_limits<int>::max() : std::numeric_limits<int>::min();
    for (const auto& p : rules.policies) {
        const int start = period_start(now, current, p.period);
        const int allowed = p.type == scaling_policy::unit::pods
                                ? start - p.value
                                : static_cast<int>(start * (1 - p.value / 100.0));
        out = takes_max_change ? std::min(out, allowed) : std::max(out, allowed);
    }
    return out;
}

} // namespace tiktrend::autoscale
