#pragma once
// Metrics as a plain object that is handed in; no globals. Names, labels and meanings are in docs/metrics.md.
#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::observe {

/// Only goes up. A cheap handle; copies are the same counter. Thread-safe. A default-made one counts nothing.
class counter {
public:
    counter() = default;
    void increment(double by = 1) const;
    double value() const;

private:
    friend class counter_family;
    explicit counter(void* c) : impl_{c} {}
    void* impl_ = nullptr;
};

/// Goes up and down. As counter.
class gauge {
public:
    gauge() = default;
    void set(double value) const;
    void increment(double by = 1) const;
    double value() const;

private:
    friend class gauge_family;
    explicit gauge(void* g) : impl_{g} {}
    void* impl_ = nullptr;
};

/// Counts observations per bucket. As counter.
class histogram {
public:
    histogram() = default;
    void observe(double value) const;
    void observe(std::chrono::steady_clock::duration elapsed) const {
        observe(std::chrono::duration<double>(elapsed).count());
    }

private:
    friend class histogram_family;
    explicit histogram(void* h) : impl_{h} {}
    void* impl_ = nullptr;
};

using label_values = std::vector<std::string>;

/// One metric name with a fixed list of label names. with() finds or makes the series of these values; keep
/// the handle where it is hot. Thread-safe.
class counter_family {
public:
    counter with(const label_values& values) const;
    /// Forgets all series: what is absent is not exported.
    void clear() const;

private:
    friend class registry;
    struct impl;
    std::shared_ptr<impl> impl_;
};

class gauge_family {
public:
    gauge with(const label_values& values) const;
    /// Forgets all series. A value that is not known must be absent, never 0 or an old one (ops.md 2.5).
    void clear() const;

private:
    friend class registry;
    struct impl;
    std::shared_ptr<impl> impl_;
};

class histogram_family {
public:
    histogram with(const label_values& values) const;

private:
    friend class registry;
    struct impl;
    std::shared_ptr<impl> impl_;
};

/// Buckets in seconds of OpenTelemetry's http.server.request.duration.
const std::vector<double>& http_duration_buckets();
/// 5 ms … 10 minutes, for jobs.
const std::vector<double>& job_duration_buckets();

/// What was asked for and what it is: see exposition().
struct exposition_text {
    std::string content_type;
    std::string body;
};

class registry {
public:
    registry();
    ~registry();
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;

    /// Each name is made once; asking again with the same labels gives the same family. `help` ends up in the
    /// exposition.
    counter_family counters(std::string name, std::string help, std::vector<std::string> labels = {});
    gauge_family gauges(std::string name, std::string help, std::vector<std::string> labels = {});
    histogram_family histograms(std::string name, std::string help, std::vector<std::string> labels,
                                const std::vector<double>& buckets);

    /// Prometheus text format 0.0.4, or OpenMetrics 1.0.0 if `accept` prefers it (a missing or other Accept
    /// header: text).
    exposition_text exposition(std::string_view accept) const;

    /// Names of all families, sorted (a test compares them with docs/metrics.md).
    std::vector<std::string> names() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// `tiktrend_build_info{version,program} 1` and `process_start_time_seconds`, which every program exports.
void add_process_metrics(registry& r, std::string_view program, std::string_view version);

} // namespace tiktrend::observe
