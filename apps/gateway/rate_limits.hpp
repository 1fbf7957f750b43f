#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tiktrend::gateway {

/// "Quota" permits a window, refilled evenly, the whole quota as burst.
struct rate_limit {
    std::int64_t quota = 0;
    std::chrono::milliseconds window{60'000};
    friend bool operator==(const rate_limit&, const rate_limit&) = default;
};

/// "600/1m"; nothing for other texts. Quota 1 … 10^9, window 1 s … 24 h.
std::optional<rate_limit> parse_rate_limit(std::string_view text) noexcept;

/// One limit under the name that the headers show.
struct rate_policy {
    std::string_view name;
    std::optional<rate_limit> limit; ///< empty: none
};

/// The limits of a gateway, per user and class of routes; the last per address.
struct rate_limits {
    rate_policy read{"read", {}};
    rate_policy scrape{"scrape", {}};
    rate_policy job_lists{"job-lists", {}}; ///< and streams of a job's events: each reads much of the queue
    rate_policy copy{"copy", {}};
    rate_policy account{"account", {}};
    rate_policy admin{"admin", {}};
    rate_policy failed_auth{"failed-auth", {}};
    bool closed_without_redis = false; ///< refuse with 503 what cannot be counted, instead of letting it pass
};

} // namespace tiktrend::gateway
