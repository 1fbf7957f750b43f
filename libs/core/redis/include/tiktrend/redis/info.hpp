#pragma once
#include <string_view>

namespace tiktrend::redis {

/// maxmemory-policy in the text of INFO memory, a part of that text; empty if it is not there. (CONFIG GET is
/// refused by managed servers, INFO is not.)
std::string_view eviction_policy(std::string_view info) noexcept;

} // namespace tiktrend::redis
