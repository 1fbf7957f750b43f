#pragma once
#include <string_view>

namespace tiktrend::queue {

/// The part of a key that decides its slot on Redis Cluster: what stands in its first {} if that is not
/// empty, else all of it (redis.io/docs/reference/cluster-spec, "Hash tags"). Keys with one tag share a slot.
constexpr std::string_view slot_tag(std::string_view key) noexcept {
    const auto open = key.find('{');
    if (open == std::string_view::npos) return key;
    const auto close = key.find('}', open + 1);
    if (close == std::string_view::npos || close == open + 1) return key;
    return key.substr(open + 1, close - open - 1);
}

} // namespace tiktrend::queue
