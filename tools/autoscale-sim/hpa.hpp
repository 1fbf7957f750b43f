#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace tiktrend::autoscale {

/// Time of a simulation or of a run, from its start. Never a wall clock.
using moment = std::chrono::duration<double>;

enum class select_policy { max, min, disabled };

struct scaling_policy {
    enum class unit { pods, percent };
    unit type;
    int value;
    moment period;
};

struct scaling_rules {
    moment stabilization_window{0};
    select_policy select = select_policy::max;
    std::vector<scaling_policy> policies;
    double tolerance = 0.1;
};

/// The part of a HorizontalPodAutoscaler (autoscaling/v2) that one External metric with AverageValue needs.
struct hpa_settings {
    int min_replicas = 3;
    int max_replicas = 20;
    double average_value = 10; ///< the target; WORKER_CONCURRENCY
    moment sync_period{15};    ///< --horizontal-pod-autoscaler-sync-period
    scaling_rules up;
    scaling_rules down;
};

/// deploy/k8s/components/hpa/scraper-workers.yaml; a test compares the file.
hpa_settings shipped_settings();
/// What Kubernetes does where behavior is not given.
hpa_settings default_settings();
/// Every duration divided by `factor`, so that a demonstration needs minutes instead of half an hour.
hpa_settings faster(hpa_settings s, double factor);

/// The algorithm of Kubernetes' controller for one External AverageValue metric, as replica_calculator.go and
/// horizontal.go have it: tolerance, stabilization, behaviour policies. Decides only; the caller scales.
class hpa {
public:
    explicit hpa(hpa_settings settings) : settings_{std::move(settings)} {}

    /// The proposal before stabilization and policies: ceil(total / target), or `current` within the
    /// tolerance.
    int proposal(int current, double total) const;

    /// One sync. `current` is scale.status.replicas, terminating pods not counted; `total` is the metric's
    /// sum, nothing if the metric is missing, which leaves the fleet as it is. Returns the replicas to have.
    int sync(moment now, int current, std::optional<double> total);

    const hpa_settings& settings() const noexcept { return settings_; }

private:
    using events = std::vector<std::pair<moment, int>>; ///< when, and by how many

    int stabilize(moment now, int current, int proposed);
    int limit_rate(moment now, int current, int wanted) const;
    int up_limit(moment now, int current) const;
    int down_limit(moment now, int current) const;
    int period_start(moment now, int current, moment period) const;

    hpa_settings settings_;
    events recommendations_; ///< proposals of the longest window
    events ups_, downs_;     ///< scalings of the longest period
};

} // namespace tiktrend::autoscale
