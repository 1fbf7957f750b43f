#pragma once
#include <tiktrend/catalog/usage_store.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace tiktrend::gateway {

struct quota_limits {
    /// Per user and day, in the order of usage_kinds; empty: no limit.
    std::array<std::optional<std::int64_t>, catalog::usage_kinds.size()> standard{};
    std::chrono::milliseconds cache_ttl{300'000}; ///< of what GET /users/me/quota answers
};

} // namespace tiktrend::gateway
