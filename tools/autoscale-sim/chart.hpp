#pragma once
#include "fleet.hpp"

#include <string>
#include <vector>

namespace tiktrend::autoscale {

struct chart_options {
    std::string title;
    std::string subtitle;
    int max_replicas = 20;
};

/// The run as one SVG of its own (no script, no font to fetch): the depth above, the replicas below, moments
/// without a metric in grey. `title` and `subtitle` are escaped.
std::string draw(const std::vector<sample>& samples, const chart_options& options);

} // namespace tiktrend::autoscale
