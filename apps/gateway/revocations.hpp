#pragma once
#include <tiktrend/postgres/router.hpp>
#include <tiktrend/redis/client.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::gateway {

/// The cache scope whose invalidations tell every gateway that an API key ended.
inline constexpr std::string_view api_key_scope = "api-keys";

/// The id of the key that this guard key (cache/key.hpp) is about; nothing for guards of other scopes.
std::optional<std::string_view> revoked_key_of(std::string_view guard) noexcept;

/// Tells every gateway that this key ended, after the database was told. False if the cache's Redis did not
/// take it: gateways then notice when they next look the key up.
task<bool> announce_revocations(redis::client& cache, std::vector<std::string> key_ids);

} // namespace tiktrend::gateway
