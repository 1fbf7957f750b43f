#include <tiktrend/observe/metric.hpp>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace tiktrend::observe {

const std::vector<double>& duration_buckets() {
    static const std::vector<double> seconds{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                             0.5,   0.75, 1,     2.5,  5,     7.5, 10};
    return seconds;
}

void counter::add(double n) const {
    if (c_) c_->Increment(n);
}
double counter::value() const {
    return c_ ? c_->Value() : 0;
}

void gauge::set(double v) const {
    if (g_) g_->Set(v);
}
void gauge::add(double n) const {
    if (g_) g_->Increment(n);
}
double gauge::value() const {
    return g_ ? g_->Value() : 0;
}

void histogram::observe(double v) const {
    if (h_) h_->Observe(v);
}

} // namespace tiktrend::observe
