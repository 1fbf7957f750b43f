#pragma once
#include <tiktrend/observe/registry.hpp>

#include <prometheus/registry.h>

#include <map>
#include <mutex>

namespace tiktrend::observe {

struct registry::impl {
    mutable std::mutex mutex;
    ::prometheus::Registry registry;
    std::map<std::string, counter_family, std::less<>> counters;
    std::map<std::string, gauge_family, std::less<>> gauges;
    std::map<std::string, histogram_family, std::less<>> histograms;
};

} // namespace tiktrend::observe
