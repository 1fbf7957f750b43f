#pragma once
#include <tiktrend/base/clock.hpp>
#include <tiktrend/redis/client.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace tiktrend::gateway {

/// Who was active, over all gateways: counted in the cache Redis when the metrics are read, not on the
/// request path. Losing that Redis loses this gauge and nothing else.
class activity {
public:
    activity(redis::client& redis, const wall_clock& clock) : redis_{redis}, clock_{clock} {}

    void add_seen(std::set<std::string> principals) { seen_.merge(principals); }

    /// Hands in who was noted since the last call. Distinct principals of the last five minutes (HyperLogLog,
    /// ± 1 %); nothing if Redis did not answer, what was noted is then kept.
    task<std::optional<std::int64_t>> exchange();

private:
    redis::client& redis_;
    const wall_clock& clock_;
    std::set<std::string> seen_;
};

} // namespace tiktrend::gateway
