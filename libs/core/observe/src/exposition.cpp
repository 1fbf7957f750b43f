#include "exposition.hpp"

#include <tiktrend/base/text.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tiktrend::observe {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// Calls f(piece) for each piece of `text` between separators.
template <class F>
void each(std::string_view text, char separator, F f) {
    for (;;) {
        const auto end = text.find(separator);
        f(trim(text.substr(0, end)));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

void append_number(std::string& out, double v) {
    if (std::isnan(v)) {
        out += "NaN";
    } else if (std::isinf(v)) {
        out += v > 0 ? "+Inf" : "-Inf";
    } else {
        char digits[32];
        out.append(digits, std::to_chars(digits, digits + sizeof digits, v).ptr);
    }
}

/// OpenMetrics: "Float with integer values are written with .0" for le, so that one boundary has one
/// spelling.
void append_boundary(std::string& out, double v, format f) {
    const auto begin = out.size();
    append_number(out, v);
    if (f == format::openmetrics_1_0_0 && out.find_first_of(".eEIN", begin) == std::string::npos) out += ".0";
}

void append_escaped(std::string& out, std::string_view text, bool quotes_too) {
    for (const char c : text) {
        switch (c) {
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '"':
            out += quotes_too ? "\\\"" : "\"";
            break;
        default:
            out += c;
        }
    }
}

class writer {
public:
    writer(std::string& out, format f) : out_{out}, format_{f} {}

    void family(const MetricFamily& family) {
        // OpenMetrics names a counter's family without the suffix that its samples carry.
        constexpr std::string_view total = "_total";
        const bool is_counter = family.type == MetricType::Counter;
        name_ = family.name;
        if (is_counter && format_ == format::openmetrics_1_0_0 && name_.size() > total.size() &&
            name_.substr(name_.size() - total.size()) == total)
            name_.remove_suffix(total.size());
        out_.append("# HELP ").append(name_) += ' ';
        append_escaped(out_, family.help, format_ == format::openmetrics_1_0_0);
        out_.append("\n# TYPE ").append(name_).append(" ").append(type_name(family.type)) += '\n';
        const std::string_view counter_suffix =
            format_ == format::openmetrics_1_0_0 ? total : std::string_view{};
        for (const auto& m : family.metric) {
            switch (family.type) {
            case MetricType::Counter:
                sample(counter_suffix, m, m.counter.value);
                break;
            case MetricType::Gauge:
                sample("", m, m.gauge.value);
                break;
            case MetricType::Histogram:
                histogram(m);
                break;
            case MetricType::Summary: // this project makes neither
            case MetricType::Untyped:
            default:
                break;
            }
        }
    }

private:
    static std::string_view type_name(MetricType t) noexcept {
        switch (t) {
        case MetricType::Counter:
            return "counter";
        case MetricType::Histogram:
            return "histogram";
        case MetricType::Summary:
            return "summary";
        case MetricType::Gauge:
            return "gauge";
        case MetricType::Untyped:
        default:
            return "untyped";
        }
    }

    void histogram(const ClientMetric& m) {
        bool has_infinite = false;
        for (const auto& b : m.histogram.bucket) {
            bucket(m, b.upper_bound, b.cumulative_count);
            has_infinite = has_infinite || std::isinf(b.upper_bound);
        }
        if (!has_infinite) bucket(m, HUGE_VAL, m.histogram.sample_count);
        sample("_sum", m, m.histogram.sample_sum);
        sample("_count", m, static_cast<double>(m.histogram.sample_count));
    }

    void bucket(const ClientMetric& m, double bound, std::uint64_t count) {
        std::string text;
        append_boundary(text, bound, format_);
        sample("_bucket", m, static_cast<double>(count), "le", text);
    }

    void sample(std::string_view suffix, const ClientMetric& m, double value,
                std::string_view extra_name = {}, std::string_view extra_value = {}) {
        out_.append(name_).append(suffix);
        if (!m.label.empty() || !extra_name.empty()) {
            char before = '{';
            for (const auto& l : m.label) {
                label(before, l.name, l.value);
                before = ',';
            }
            if (!extra_name.empty()) label(before, extra_name, extra_value);
            out_ += '}';
        }
        out_ += ' ';
        append_number(out_, value);
        out_ += '\n';
    }

    void label(char before, std::string_view name, std::string_view value) {
        out_ += before;
        out_.append(name) += "=\"";
        append_escaped(out_, value, true);
        out_ += '"';
    }

    std::string& out_;
    format format_;
    std::string_view name_;
};

} // namespace

format choose_format(std::string_view accept) {
    double openmetrics = 0, text = 0;
    each(accept, ',', [&](std::string_view element) {
        std::string_view type, version = "1.0.0";
        double weight = 1;
        bool first = true;
        each(element, ';', [&](std::string_view part) {
            if (std::exchange(first, false)) {
                type = part;
            } else if (part.substr(0, 2) == "q=") {
                const auto end = std::from_chars(part.data() + 2, part.data() + part.size(), weight);
                if (end.ec != std::errc{} || !(weight >= 0 && weight <= 1)) weight = 0;
            } else if (part.substr(0, 8) == "version=") {
                version = part.substr(8);
            }
        });
        if (type == "application/openmetrics-text") {
            if (version == "1.0.0") openmetrics = std::max(openmetrics, weight);
        } else if (type == "text/plain" || type == "text/*" || type == "*/*") {
            text = std::max(text, weight);
        }
    });
    return openmetrics > 0 && openmetrics >= text ? format::openmetrics_1_0_0 : format::text_0_0_4;
}

std::string_view content_type_of(format f) noexcept {
    return f == format::openmetrics_1_0_0 ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                          : "text/plain; version=0.0.4; charset=utf-8";
}

std::string write_exposition(std::vector<MetricFamily> families, format f) {
    std::sort(families.begin(), families.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    std::string out;
    out.reserve(16U << 10);
    writer w{out, f};
    for (auto& family : families) {
        if (family.metric.empty()) continue;
        std::sort(family.metric.begin(), family.metric.end(),
                  [](const auto& a, const auto& b) { return a.label < b.label; });
        w.family(family);
    }
    if (f == format::openmetrics_1_0_0) out += "# EOF\n";
    return out;
}

} // namespace tiktrend::observe
