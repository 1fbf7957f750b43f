#include "registry_impl.hpp"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cmath>

namespace tiktrend::observe {
namespace {

using ::prometheus::ClientMetric;
using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

/// True if the Accept header names OpenMetrics with a quality above that of plain text. Prometheus sends one
/// of the two first.
bool wants_openmetrics(std::string_view accept) {
    const auto quality_of = [&](std::string_view media) -> double {
        const auto at = accept.find(media);
        if (at == std::string_view::npos) return 0;
        const auto entry = accept.substr(at, accept.find(',', at) - at);
        const auto q = entry.find("q=");
        if (q == std::string_view::npos) return 1;
        double value = 0;
        double place = 1;
        bool after_point = false;
        for (const char c : entry.substr(q + 2)) {
            if (c == '.') {
                after_point = true;
            } else if (c >= '0' && c <= '9') {
                if (after_point) {
                    place /= 10;
                    value += (c - '0') * place;
                } else {
                    value = value * 10 + (c - '0');
                }
            } else {
                break;
            }
        }
        return value;
    };
    const double open = quality_of("application/openmetrics-text");
    return open > 0 && open >= quality_of("text/plain");
}

std::string_view type_name(MetricType type) {
    switch (type) {
    case MetricType::Counter:
        return "counter";
    case MetricType::Gauge:
        return "gauge";
    case MetricType::Histogram:
        return "histogram";
    case MetricType::Summary:
        return "summary";
        return "info";
    case MetricType::Untyped:
        break;
    }
    return "unknown";
}

void append_number(std::string& out, double v) {
    if (std::isnan(v))
        out += "NaN";
    else if (std::isinf(v))
        out += v > 0 ? "+Inf" : "-Inf";
    else
        fmt::format_to(std::back_inserter(out), "{}", v);
}

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (c == '\\')
            out += "\\\\";
        else if (c == '"')
            out += "\\\"";
        else if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
}

void append_sample(std::string& out, std::string_view name, const ClientMetric& m, double value,
                   const std::string* le = nullptr) {
    out += name;
    char separator = '{';
    const auto label = [&](std::string_view key, std::string_view text) {
        out += separator;
        out += key;
        out += "=\"";
        append_escaped(out, text);
        out += '"';
        separator = ',';
    };
    for (const auto& l : m.label)
        label(l.name, l.value);
    if (le) label("le", *le);
    if (separator == ',') out += '}';
    out += ' ';
    append_number(out, value);
    out += '\n';
}

std::string bound_text(double bound) {
    std::string out;
    append_number(out, bound);
    // OpenMetrics wants canonical numbers in `le`: 1.0, not 1
    if (std::isfinite(bound) && out.find_first_of(".e") == std::string::npos) out += ".0";
    return out;
}

void append_family(std::string& out, const MetricFamily& f) {
    // The name of a counter's family lacks the suffix that its samples carry (OpenMetrics 1.0.0, "Counter").
    std::string_view base = f.name;
    if (f.type == MetricType::Counter && base.ends_with("_total")) base.remove_suffix(6);
    fmt::format_to(std::back_inserter(out), "# HELP {} ", base);
    append_escaped(out, f.help);
    fmt::format_to(std::back_inserter(out), "\n# TYPE {} {}\n", base, type_name(f.type));
    for (const auto& m : f.metric) {
        switch (f.type) {
        case MetricType::Counter:
            append_sample(out, std::string{base} + "_total", m, m.counter.value);
            break;
        case MetricType::Gauge:
            append_sample(out, base, m, m.gauge.value);
            break;
        case MetricType::Histogram: {
            for (const auto& b : m.histogram.bucket) {
                const auto le = bound_text(b.upper_bound);
                append_sample(out, f.name + "_bucket", m, static_cast<double>(b.cumulative_count), &le);
            }
            append_sample(out, f.name + "_sum", m, m.histogram.sample_sum);
            append_sample(out, f.name + "_count", m, static_cast<double>(m.histogram.sample_count));
            break;
        }
        default:
            append_sample(out, base, m, m.untyped.value);
        }
    }
}

} // namespace

exposition_text registry::exposition(std::string_view accept) const {
    auto families = impl_->registry.Collect();
    std::erase_if(families, [](const MetricFamily& f) { return f.metric.empty(); });
    if (!wants_openmetrics(accept))
        return {"text/plain; version=0.0.4; charset=utf-8",
                ::prometheus::TextSerializer{}.Serialize(families)};
    std::string body;
    for (const auto& f : families)
        append_family(body, f);
    body += "# EOF\n";
    return {"application/openmetrics-text; version=1.0.0; charset=utf-8", std::move(body)};
}

} // namespace tiktrend::observe
