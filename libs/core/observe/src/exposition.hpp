#pragma once
#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::observe {

enum class format { text_0_0_4, openmetrics_1_0_0 };

/// What an Accept field asks for.
format choose_format(std::string_view accept);
std::string_view content_type_of(format f) noexcept;

/// prometheus-cpp writes the text format only, so both are written here.
std::string write_exposition(std::vector<prometheus::MetricFamily> families, format f);

} // namespace tiktrend::observe
