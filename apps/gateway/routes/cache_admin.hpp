#pragma once
#include <tiktrend/http/router.hpp>
#include <tiktrend/postgres/router.hpp>
#include <tiktrend/redis/client.hpp>

namespace tiktrend::gateway {

/// DELETE /cache/{scope}: every answer of the scope (products, copy, categories, quota) is forgotten, by all
/// gateways. 204; 404 `cache_not_found`.
http::handler clear_cache(redis::client& cache, postgres::router& database);

} // namespace tiktrend::gateway
