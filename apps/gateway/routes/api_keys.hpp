#pragma once
#include <tiktrend/catalog/api_key_store.hpp>
#include <tiktrend/catalog/user_store.hpp>
#include <tiktrend/http/router.hpp>
#include <tiktrend/redis/client.hpp>

namespace tiktrend::gateway {

/// POST /api-keys {name?, scopes, expires_in?, user_id?}: 201 with the key's text, which is shown this once.
/// Nobody gives away scopes that the credential in use lacks; `user_id` is for administrators.
http::handler create_api_key(catalog::api_key_store& keys, catalog::user_store& users);
/// GET /api-keys?user_id=: the caller's keys without their texts; another user's for administrators.
http::handler list_api_keys(catalog::api_key_store& keys);
/// DELETE /api-keys/{id}: 204; 404 for unknown, revoked and other people's keys. Every gateway is told
/// through `cache`'s invalidation channel.
http::handler revoke_api_key(catalog::api_key_store& keys, redis::client& cache);

} // namespace tiktrend::gateway
