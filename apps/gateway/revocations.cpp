#include "revocations.hpp"

#include <tiktrend/cache/invalidator.hpp>
#include <tiktrend/cache/key.hpp>

#include <vector>

namespace tiktrend::gateway {

std::optional<std::string_view> revoked_key_of(std::string_view guard) noexcept {
    static const auto prefix = cache::one_guard_key(api_key_scope, "");
    if (!guard.starts_with(prefix)) return std::nullopt;
    return guard.substr(prefix.size());
}

task<bool> announce_revocations(redis::client& cache, std::vector<std::string> key_ids) {
    try {
        co_await cache::invalidator{cache}.invalidate(api_key_scope, key_ids, 0, false);
        co_return true;
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        co_return false;
    }
}

} // namespace tiktrend::gateway
