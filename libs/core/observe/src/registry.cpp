#include "exposition.hpp"

#include <tiktrend/observe/registry.hpp>

#include <prometheus/check_names.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <stdexcept>

namespace tiktrend::observe {
namespace {

/// One family over prometheus-cpp's. Series are kept by their values, so that asking again costs one look-up.
template <class Handle, class Metric, class... Arguments>
class family_of final : public metric_family<Handle> {
public:
    family_of(prometheus::Family<Metric>& family, std::vector<std::string> names, Arguments... arguments)
        : names{std::move(names)}, family_{family}, arguments_{std::move(arguments)...} {}

    Handle with(const std::vector<std::string_view>& values) override {
        check(values);
        const std::scoped_lock lock{mutex_};
        auto& metric = series_[key_of(values)];
        if (!metric)
            metric =
                &std::apply([&](const auto&... a) -> Metric& { return family_.Add(labels_of(values), a...); },
                            arguments_);
        return Handle{metric};
    }

    void remove(const std::vector<std::string_view>& values) override {
        check(values);
        const std::scoped_lock lock{mutex_};
        if (const auto it = series_.find(key_of(values)); it != series_.end()) {
            family_.Remove(it->second);
            series_.erase(it);
        }
    }

    const std::vector<std::string> names;

private:
    void check(const std::vector<std::string_view>& values) const {
        if (values.size() != names.size())
            throw std::invalid_argument("metric " + family_.GetName() + " has " +
                                        std::to_string(names.size()) + " labels, not " +
                                        std::to_string(values.size()));
    }
    static std::vector<std::string> key_of(const std::vector<std::string_view>& values) {
        return {values.begin(), values.end()};
    }
    prometheus::Labels labels_of(const std::vector<std::string_view>& values) const {
        prometheus::Labels out;
        for (std::size_t i = 0; i < names.size(); ++i)
            out.emplace(names[i], values[i]);
        return out;
    }

    prometheus::Family<Metric>& family_;
    std::tuple<Arguments...> arguments_;
    std::mutex mutex_;
    std::map<std::vector<std::string>, Metric*> series_;
};

using counters_of = family_of<counter, prometheus::Counter>;
using gauges_of = family_of<gauge, prometheus::Gauge>;
using histograms_of = family_of<histogram, prometheus::Histogram, prometheus::Histogram::BucketBoundaries>;

struct callback {
    std::function<void()> run;
};

} // namespace

struct registry::impl {
    prometheus::Registry inner;
    std::mutex mutex;
    std::map<std::string, std::unique_ptr<counters_of>, std::less<>> counters;
    std::map<std::string, std::unique_ptr<gauges_of>, std::less<>> gauges;
    std::map<std::string, std::unique_ptr<histograms_of>, std::less<>> histograms;
    std::vector<std::weak_ptr<const callback>> callbacks;

    template <class Families, class Build, class... Arguments>
    auto& family(Families& families, Build build, std::string_view name, std::string_view help, labels names,
                 Arguments... arguments) {
        using family_type = typename Families::mapped_type::element_type;
        const std::vector<std::string> wanted{names.begin(), names.end()};
        const std::scoped_lock lock{mutex};
        if (const auto it = families.find(name); it != families.end()) {
            if (it->second->names != wanted)
                throw std::invalid_argument("metric " + std::string{name} + " exists with other labels");
            return *it->second;
        }
        if (counters.contains(name) || gauges.contains(name) || histograms.contains(name))
            throw std::invalid_argument("metric " + std::string{name} + " exists with another type");
        const std::string text{name};
        if (!prometheus::CheckMetricName(text)) throw std::invalid_argument("not a metric name: " + text);
        for (const auto& label : wanted)
            if (!prometheus::CheckLabelName(label) || label == "le" || label == "quantile")
                throw std::invalid_argument("not a label name: " + label + " of metric " + text);
        auto& made = build().Name(text).Help(std::string{help}).Register(inner);
        return *families.emplace(text, std::make_unique<family_type>(made, wanted, std::move(arguments)...))
                    .first->second;
    }
};

registry::registry() : impl_{std::make_unique<impl>()} {}
registry::~registry() = default;

counter_family& registry::counters(std::string_view name, std::string_view help, labels names) {
    return impl_->family(impl_->counters, prometheus::BuildCounter, name, help, names);
}
gauge_family& registry::gauges(std::string_view name, std::string_view help, labels names) {
    return impl_->family(impl_->gauges, prometheus::BuildGauge, name, help, names);
}
histogram_family& registry::histograms(std::string_view name, std::string_view help, labels names,
                                       const std::vector<double>& upper_bounds) {
    return impl_->family(impl_->histograms, prometheus::BuildHistogram, name, help, names, upper_bounds);
}

counter registry::make_counter(std::string_view name, std::string_view help) {
    return counters(name, help, {}).with({});
}
gauge registry::make_gauge(std::string_view name, std::string_view help) {
    return gauges(name, help, {}).with({});
}
histogram registry::make_histogram(std::string_view name, std::string_view help,
                                   const std::vector<double>& upper_bounds) {
    return histograms(name, help, {}, upper_bounds).with({});
}

registry::token registry::on_collect(std::function<void()> f) {
    auto made = std::make_shared<const callback>(callback{std::move(f)});
    const std::scoped_lock lock{impl_->mutex};
    std::erase_if(impl_->callbacks, [](const auto& c) { return c.expired(); });
    impl_->callbacks.push_back(made);
    return made;
}

registry::exposition registry::expose(std::string_view accept) const {
    std::vector<std::shared_ptr<const callback>> alive;
    {
        const std::scoped_lock lock{impl_->mutex};
        for (const auto& c : impl_->callbacks)
            if (auto held = c.lock()) alive.push_back(std::move(held));
    }
    for (const auto& c : alive)
        c->run(); // unlocked: they ask the registry for their families
    const auto f = choose_format(accept);
    return {std::string{content_type_of(f)}, write_exposition(impl_->inner.Collect(), f)};
}

std::vector<std::string> registry::names() const {
    std::vector<std::string> out;
    const std::scoped_lock lock{impl_->mutex};
    for (const auto& [name, family] : impl_->counters)
        out.push_back(name);
    for (const auto& [name, family] : impl_->gauges)
        out.push_back(name);
    for (const auto& [name, family] : impl_->histograms)
        out.push_back(name);
    std::sort(out.begin(), out.end());
    return out;
}

} // namespace tiktrend::observe
