#include "chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace tiktrend::autoscale {
namespace {

constexpr double width = 960, left = 60, right = 20, panel_height = 180, gap = 50, top = 70;
constexpr std::size_t most_points = 900; // more would not be seen

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else
            out += c;
    }
    return out;
}

/// The next of 1, 2, 5, 10, 20, 50, … that is not below.
double round_up(double v) {
    if (v <= 1) return 1;
    const double power = std::pow(10, std::floor(std::log10(v)));
    for (const double f : {1.0, 2.0, 5.0, 10.0})
        if (f * power >= v) return f * power;
    return v;
}

std::string duration_label(double s) {
    if (s >= 3600 && std::fmod(s, 3600) == 0) return fmt::format("{:.0f} h", s / 3600);
    if (s >= 60 && std::fmod(s, 60) == 0) return fmt::format("{:.0f} min", s / 60);
    return fmt::format("{:.0f} s", s);
}

class canvas {
public:
    canvas(const std::vector<sample>& samples, const chart_options& options) : samples_{samples} {
        end_ = samples.empty() ? 1 : std::max(1.0, samples.back().at.count());
        const double height = top + 2 * panel_height + gap + 50;
        out_ = fmt::format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n"
            "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
            "<text x=\"{2}\" y=\"26\" font-size=\"17\" font-weight=\"bold\">{3}</text>\n"
            "<text x=\"{2}\" y=\"46\" fill=\"#555\">{4}</text>\n",
            width, height, left, escaped(options.title), escaped(options.subtitle));
    }

    void panel(const std::string& name, double y0, double highest) {
        y0_ = y0;
        highest_ = highest;
        shade_blind();
        for (int i = 0; i <= 4; ++i) {
            const double v = highest * i / 4;
            add("<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/><text x=\"{3}\" "
                "y=\"{4:.1f}\" "
                "text-anchor=\"end\" fill=\"#555\">{5:.4g}</text>\n",
                left, width - right, y(v), left - 6, y(v) + 4, v);
        }
        add("<text x=\"{}\" y=\"{:.1f}\" font-weight=\"bold\">{}</text>\n", left, y0 - 8, escaped(name));
        const double spacing = round_time(end_ / 8);
        for (double t = 0; t <= end_; t += spacing)
            add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" fill=\"#555\">{}</text>\n", x(t),
                y0 + panel_height + 16, duration_label(t));
    }

    /// A step line: a value holds until the next one.
    template <class Get>
    void line(Get get, const char* colour, bool is_filled) {
        std::string points;
        const std::size_t stride = std::max<std::size_t>(1, samples_.size() / most_points);
        double last = -1;
        for (std::size_t i = 0; i < samples_.size(); i += stride) {
            double v = get(samples_[i]); // the highest of those that share a point
            for (std::size_t k = i; k < std::min(samples_.size(), i + stride); ++k)
                v = std::max(v, static_cast<double>(get(samples_[k])));
            if (v == last && i + stride < samples_.size()) continue;
            if (last >= 0)
                fmt::format_to(std::back_inserter(points), "{:.1f},{:.1f} ", x(samples_[i].at.count()),
                               y(last));
            fmt::format_to(std::back_inserter(points), "{:.1f},{:.1f} ", x(samples_[i].at.count()), y(v));
            last = v;
        }
        if (points.empty()) return;
        if (is_filled)
            add("<polygon points=\"{:.1f},{:.1f} {}{:.1f},{:.1f}\" fill=\"{}\" fill-opacity=\"0.2\"/>\n",
                x(0), y(0), points, x(samples_.back().at.count()), y(0), colour);
        add("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\"/>\n", points, colour);
    }

    void legend(const std::string& text, const char* colour, double at) {
        add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\" fill=\"{}\">{}</text>\n", at, y0_ - 8,
            colour, escaped(text));
    }

    std::string finish() { return std::move(out_) + "</svg>\n"; }

private:
    template <class... Args>
    void add(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    }

    static double round_time(double s) {
        for (const double c : {1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
                               3600.0, 7200.0, 10800.0, 21600.0})
            if (c >= s) return c;
        return 86400;
    }

    void shade_blind() {
        for (std::size_t i = 0; i < samples_.size(); ++i) {
            if (!samples_[i].blind) continue;
            const double from = samples_[i].at.count();
            while (i + 1 < samples_.size() && samples_[i + 1].blind)
                ++i;
            add("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" fill=\"#eee\"/>\n", x(from),
                y0_, std::max(1.0, x(samples_[i].at.count()) - x(from)), panel_height);
        }
    }

    double x(double t) const { return left + (width - left - right) * t / end_; }
    double y(double v) const { return y0_ + panel_height * (1 - v / highest_); }

    const std::vector<sample>& samples_;
    std::string out_;
    double end_ = 1, y0_ = 0, highest_ = 1;
};

} // namespace

std::string draw(const std::vector<sample>& samples, const chart_options& options) {
    double deepest = 1;
    for (const auto& s : samples)
        deepest = std::max(deepest, s.depth);
    canvas c{samples, options};
    c.panel("Jobs that need a slot (waiting and running)", top, round_up(deepest));
    c.line([](const sample& s) { return s.depth; }, "#c0392b", true);
    c.panel("Workers", top + panel_height + gap, std::max(4.0, round_up(options.max_replicas)));
    c.line([](const sample& s) { return static_cast<double>(s.replicas); }, "#7f8c8d", false);
    c.line([](const sample& s) { return static_cast<double>(s.taking_jobs); }, "#2471a3", true);
    c.legend("asked for", "#7f8c8d", width - right - 90);
    c.legend("taking jobs", "#2471a3", width - right);
    return c.finish();
}

} // namespace tiktrend::autoscale
