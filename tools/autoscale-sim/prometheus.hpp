#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::autoscale {

/// Asks a Prometheus over its HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/),
/// blocking.
class prometheus {
public:
    /// `base` like http://127.0.0.1:9090.
    explicit prometheus(std::string base);

    /// The values of an instant query's vector; nothing if there was no answer within 5 s or it was an error.
    /// An empty vector is an answer.
    std::optional<std::vector<double>> query(const std::string& promql) const;

private:
    std::string base_;
};

/// The values in the body of an instant query's answer; nothing if it is not a successful answer with a
/// vector.
std::optional<std::vector<double>> parse_vector(std::string_view body);

} // namespace tiktrend::autoscale
