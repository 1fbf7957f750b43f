#pragma once
#include <tiktrend/observe/metric.hpp>

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::observe {

/// The metrics of one program, over a prometheus-cpp registry. A plain object that main() makes and hands to
/// each part; there is no global one. Thread-safe throughout.
///
/// Names and label sets are fixed where a family is made (docs/metrics.md lists them). Asking again for a
/// family that exists gives the same one; asking with another type or other labels throws
/// std::invalid_argument, and so does a name or label that Prometheus does not allow.
class registry {
public:
    registry();
    ~registry();
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;

    using labels = std::initializer_list<std::string_view>;

    counter_family& counters(std::string_view name, std::string_view help, labels names);
    gauge_family& gauges(std::string_view name, std::string_view help, labels names);
    /// `upper_bounds` ascend and leave +Inf out.
    histogram_family& histograms(std::string_view name, std::string_view help, labels names,
                                 const std::vector<double>& upper_bounds = duration_buckets());

    /// Families without labels, which have one series, present from the start.
    counter make_counter(std::string_view name, std::string_view help);
    gauge make_gauge(std::string_view name, std::string_view help);
    histogram make_histogram(std::string_view name, std::string_view help,
                             const std::vector<double>& upper_bounds = duration_buckets());

    /// Runs `f` at the start of every expose(), on its thread, to set gauges that are cheap to read at that
    /// moment. What has to wait (a Redis call) is done by the caller before expose(). Runs until the token is
    /// dropped, which may not happen inside `f`.
    using token = std::shared_ptr<const void>;
    [[nodiscard]] token on_collect(std::function<void()> f);

    struct exposition {
        std::string content_type;
        std::string body;
    };
    /// Everything, in the format that the Accept field asks for: OpenMetrics 1.0.0 when it is wanted at least
    /// as much as plain text, else the text format 0.0.4
    /// (https://prometheus.io/docs/instrumenting/exposition_formats/). Families by name, series by labels.
    exposition expose(std::string_view accept = {}) const;

    /// Names of all families, sorted, for a test that compares them with docs/metrics.md.
    std::vector<std::string> names() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds, process_max_fds,
/// process_start_time_seconds and build information `tiktrend_build_info{version}` = 1. Keep the token.
[[nodiscard]] registry::token add_process_metrics(registry& r, std::string_view version);

} // namespace tiktrend::observe
