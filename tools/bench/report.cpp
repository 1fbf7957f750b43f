#include "report.hpp"

#include <tiktrend/base/json_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace tiktrend::bench {
namespace {

std::vector<double> ratios(const row& r) {
    std::vector<double> out;
    for (std::size_t i = 0; i < r.ours.size() && i < r.theirs.size(); ++i)
        out.push_back(r.ours[i] / r.theirs[i]);
    return out;
}

std::string number(double value) {
    return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.2f}", value);
}

} // namespace

double median(std::vector<double> values) {
    if (values.empty()) throw std::logic_error("no rounds");
    std::sort(values.begin(), values.end());
    const auto middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double row::median_ours() const {
    return median(ours);
}
double row::median_theirs() const {
    return median(theirs);
}
double row::ratio() const {
    return median(ratios(*this));
}

double row::spread() const {
    const auto all = ratios(*this);
    const auto [low, high] = std::minmax_element(all.begin(), all.end());
    return (*high - *low) / 2 / ratio();
}

void print(const std::vector<row>& rows) {
    std::size_t width = 28;
    for (const auto& r : rows)
        width = std::max(width, r.name.size());
    fmt::print("\n{:<{}} {:<8} {:>10} {:>10} {:>8} {:>8}  {:<10} {}\n", "name", width, "unit", "ours",
               "theirs", "ratio", "spread", "goal", "peer");
    for (const auto& r : rows)
        fmt::print("{:<{}} {:<8} {:>10} {:>10} {:>8.2f} {:>7.0f}%  {:<10} {}\n", r.name, width, r.unit,
                   number(r.median_ours()), number(r.median_theirs()), r.ratio(), 100 * r.spread(), r.goal,
                   r.peer);
}

void write_json(const std::vector<row>& rows, const std::string& file) {
    std::string out = "[";
    const auto text = [&out](std::string_view name, std::string_view value) {
        out += fmt::format("{}\"{}\": ", out.back() == '{' ? "" : ", ", name);
        append_json_string(out, value);
    };
    const auto number = [&out](std::string_view name, double value) {
        out += fmt::format(", \"{}\": ", name);
        append_json_number(out, value);
    };
    for (const auto& r : rows) {
        out += out == "[" ? "\n  {" : ",\n  {";
        text("name", r.name);
        text("unit", r.unit);
        number("ours", r.median_ours());
        text("peer", r.peer);
        number("theirs", r.median_theirs());
        number("ratio", r.ratio());
        number("spread", r.spread());
        out += '}';
    }
    std::ofstream stream{file};
    stream << out << "\n]\n";
    if (!stream.flush()) throw std::runtime_error("cannot write " + file);
}

} // namespace tiktrend::bench
