#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
} // namespace prometheus

namespace tiktrend::observe {

/// The 14 boundaries, in seconds, that OpenTelemetry gives http.server.request.duration; used for all
/// durations.
const std::vector<double>& duration_buckets();

/// Handles are one pointer wide, copied freely, thread-safe and valid as long as the registry (a gauge's:
/// until its series is removed). A default-made handle drops what it is given, so that parts run without a
/// registry.
class counter {
public:
    counter() = default;
    explicit counter(prometheus::Counter* c) noexcept : c_{c} {}
    void add(double n = 1) const; ///< negative n is ignored
    double value() const;

private:
    prometheus::Counter* c_ = nullptr;
};

class gauge {
public:
    gauge() = default;
    explicit gauge(prometheus::Gauge* g) noexcept : g_{g} {}
    void set(double v) const;
    void add(double n) const;
    double value() const;

private:
    prometheus::Gauge* g_ = nullptr;
};

class histogram {
public:
    histogram() = default;
    explicit histogram(prometheus::Histogram* h) noexcept : h_{h} {}
    void observe(double v) const;
    void observe(std::chrono::steady_clock::duration d) const {
        observe(std::chrono::duration<double>(d).count());
    } ///< in seconds

private:
    prometheus::Histogram* h_ = nullptr;
};

/// One metric name with its series by label values. Thread-safe; takes a lock and builds a key, so hot paths
/// keep the handle or use a label_cache.
template <class Handle>
class metric_family {
public:
    virtual ~metric_family() = default;
    /// The series with these values, in the order of the label names; made at first use. Throws
    /// std::invalid_argument for another number of values.
    virtual Handle with(const std::vector<std::string_view>& values) = 0;
    template <class... Values>
    Handle operator()(const Values&... values) {
        return with(std::vector<std::string_view>{std::string_view{values}...});
    }
    /// Takes a series out of the exposition: absent is not 0. Its handles end here; the next with() makes a
    /// new one.
    virtual void remove(const std::vector<std::string_view>& values) = 0;
};
using counter_family = metric_family<counter>;
using gauge_family = metric_family<gauge>;
using histogram_family = metric_family<histogram>;

/// Handles by label values for one thread: after the first look-up neither locks nor allocates. Do not
/// remove() series that a cache may hold. `N` is the number of labels.
template <class Handle, std::size_t N>
class label_cache {
public:
    label_cache() = default; ///< gives handles that drop everything
    explicit label_cache(metric_family<Handle>& family) : family_{&family} {}
    label_cache(label_cache&&) noexcept = default;
    label_cache& operator=(label_cache&&) noexcept = default;

    template <class... Values>
    Handle operator()(const Values&... values) {
        static_assert(sizeof...(Values) == N);
        if (!family_) return {};
        const std::array<std::string_view, N> wanted{std::string_view{values}...};
        if (last_ && last_->is(wanted)) return last_->handle; // mostly the same again
        std::size_t hash = 0;
        for (const auto v : wanted)
            hash = hash * 31 + std::hash<std::string_view>{}(v);
        const auto [from, to] = entries_.equal_range(hash);
        for (auto it = from; it != to; ++it)
            if (it->second.is(wanted)) return (last_ = &it->second)->handle;
        entry made{{}, family_->with({wanted.begin(), wanted.end()})};
        for (std::size_t i = 0; i < N; ++i)
            made.values[i] = wanted[i];
        return entries_.emplace(hash, std::move(made))->second.handle;
    }

private:
    struct entry {
        std::array<std::string, N> values;
        Handle handle;
        bool is(const std::array<std::string_view, N>& other) const noexcept {
            for (std::size_t i = 0; i < N; ++i)
                if (values[i] != other[i]) return false;
            return true;
        }
    };
    metric_family<Handle>* family_ = nullptr;
    std::unordered_multimap<std::size_t, entry> entries_;
    const entry* last_ = nullptr; ///< asked for
};

} // namespace tiktrend::observe
