#include "registry_impl.hpp"

#include <tiktrend/observe/registry.hpp>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>

namespace tiktrend::observe {

namespace prom = ::prometheus;

/// What the three kinds of family share: the names of the labels and the series made so far.
template <class Metric>
struct family_state {
    prom::Family<Metric>* family = nullptr;
    std::vector<std::string> labels;
    std::mutex mutex;
    std::map<label_values, Metric*> series;

    template <class... Args>
    Metric* find_or_add(const label_values& values, const Args&... args) {
        if (values.size() != labels.size())
            throw std::logic_error("metric " + family->GetName() + ": wrong number of label values");
        const std::scoped_lock lock{mutex};
        if (const auto it = series.find(values); it != series.end()) return it->second;
        std::map<std::string, std::string> pairs;
        for (std::size_t i = 0; i < labels.size(); ++i)
            pairs.emplace(labels[i], values[i]);
        auto* made = &family->Add(pairs, args...);
        series.emplace(values, made);
        return made;
    }
    void clear() {
        const std::scoped_lock lock{mutex};
        for (const auto& [values, metric] : series)
            family->Remove(metric);
        series.clear();
    }
};

struct counter_family::impl : family_state<prom::Counter> {};
struct gauge_family::impl : family_state<prom::Gauge> {};
struct histogram_family::impl : family_state<prom::Histogram> {
    prom::Histogram::BucketBoundaries buckets;
};

void counter::increment(double by) const {
    if (impl_) static_cast<prom::Counter*>(impl_)->Increment(by);
}
double counter::value() const {
    return impl_ ? static_cast<prom::Counter*>(impl_)->Value() : 0;
}
void gauge::set(double value) const {
    if (impl_) static_cast<prom::Gauge*>(impl_)->Set(value);
}
void gauge::increment(double by) const {
    if (impl_) static_cast<prom::Gauge*>(impl_)->Increment(by);
}
double gauge::value() const {
    return impl_ ? static_cast<prom::Gauge*>(impl_)->Value() : 0;
}
void histogram::observe(double value) const {
    if (impl_) static_cast<prom::Histogram*>(impl_)->Observe(value);
}

counter counter_family::with(const label_values& values) const {
    return counter{impl_->find_or_add(values)};
}
void counter_family::clear() const {
    impl_->clear();
}
gauge gauge_family::with(const label_values& values) const {
    return gauge{impl_->find_or_add(values)};
}
void gauge_family::clear() const {
    impl_->clear();
}
histogram histogram_family::with(const label_values& values) const {
    return histogram{impl_->find_or_add(values, impl_->buckets)};
}

registry::registry() : impl_{std::make_unique<impl>()} {}
registry::~registry() = default;

namespace {

/// The family of this name, made at first use.
template <class Family, class Make>
Family find_or_make(std::map<std::string, Family, std::less<>>& families, const std::string& name,
                    Make make) {
    if (const auto it = families.find(name); it != families.end()) return it->second;
    return families.emplace(name, make()).first->second;
}

} // namespace

counter_family registry::counters(std::string name, std::string help, std::vector<std::string> labels) {
    const std::scoped_lock lock{impl_->mutex};
    return find_or_make(impl_->counters, name, [&] {
        counter_family f;
        f.impl_ = std::make_shared<counter_family::impl>();
        f.impl_->family = &prom::BuildCounter().Name(name).Help(help).Register(impl_->registry);
        f.impl_->labels = std::move(labels);
        return f;
    });
}

gauge_family registry::gauges(std::string name, std::string help, std::vector<std::string> labels) {
    const std::scoped_lock lock{impl_->mutex};
    return find_or_make(impl_->gauges, name, [&] {
        gauge_family f;
        f.impl_ = std::make_shared<gauge_family::impl>();
        f.impl_->family = &prom::BuildGauge().Name(name).Help(help).Register(impl_->registry);
        f.impl_->labels = std::move(labels);
        return f;
    });
}

histogram_family registry::histograms(std::string name, std::string help, std::vector<std::string> labels,
                                      const std::vector<double>& buckets) {
    const std::scoped_lock lock{impl_->mutex};
    return find_or_make(impl_->histograms, name, [&] {
        histogram_family f;
        f.impl_ = std::make_shared<histogram_family::impl>();
        f.impl_->family = &prom::BuildHistogram().Name(name).Help(help).Register(impl_->registry);
        f.impl_->labels = std::move(labels);
        f.impl_->buckets = {buckets.begin(), buckets.end()};
        return f;
    });
}

std::vector<std::string> registry::names() const {
    const std::scoped_lock lock{impl_->mutex};
    std::map<std::string, int, std::less<>> sorted;
    for (const auto& [name, f] : impl_->counters)
        sorted.emplace(name, 0);
    for (const auto& [name, f] : impl_->gauges)
        sorted.emplace(name, 0);
    for (const auto& [name, f] : impl_->histograms)
        sorted.emplace(name, 0);
    std::vector<std::string> out;
    for (const auto& [name, unused] : sorted)
        out.push_back(name);
    return out;
}

const std::vector<double>& http_duration_buckets() {
    static const std::vector<double> b{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                       0.5,   0.75, 1,     2.5,  5,     7.5, 10};
    return b;
}

const std::vector<double>& job_duration_buckets() {
    static const std::vector<double> b{0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600};
    return b;
}

void add_process_metrics(registry& r, std::string_view program, std::string_view version) {
    r.gauges("tiktrend_build_info", "Always 1; the labels say what runs.", {"program", "version"})
        .with({std::string{program}, std::string{version}})
        .set(1);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    r.gauges("process_start_time_seconds", "Unix time at which the process started.")
        .with({})
        .set(std::chrono::duration<double>(now).count());
}

} // namespace tiktrend::observe
