#pragma once
#include <tiktrend/base/clock.hpp>
#include <tiktrend/redis/client.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace tiktrend::gateway {

/// Who was active and how much was started, over all gateways: counted in the cache Redis when the metrics
/// are read, not on the request path. Losing that Redis loses these two gauges and nothing else.
class activity {
public:
    activity(redis::client& redis, const wall_clock& clock) : redis_{redis}, clock_{clock} {}

    void add_seen(std::set<std::string> principals) { seen_.merge(principals); }
    void add_scrapes(std::int64_t n) noexcept { scrapes_ += n; }

    struct totals {
        std::int64_t active_users = 0;  ///< distinct principals of the last five minutes (HyperLogLog, ± 1 %)
        std::int64_t scrapes_today = 0; ///< scrapes accepted since midnight UTC
    };
    /// Hands in what was noted since the last call and reads the totals. Nothing if Redis did not answer;
    /// what was noted is kept.
    task<std::optional<totals>> exchange();

private:
    redis::client& redis_;
    const wall_clock& clock_;
    std::set<std::string> seen_;
    std::int64_t scrapes_ = 0;
};

} // namespace tiktrend::gateway
