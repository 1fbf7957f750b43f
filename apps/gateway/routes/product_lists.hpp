#pragma once
#include "cursor.hpp"
#include "product_cache.hpp"

#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/catalog/trending_store.hpp>
#include <tiktrend/http/router.hpp>

namespace tiktrend::gateway {

/// GET /products/{id}/history?limit=&before=: what scrapes found to have changed, newest first; 404
/// `product_not_found`.
http::handler get_product_history(catalog::product_store& products, product_cache& cache,
                                  const cursor_signer& cursors);
/// GET /products/trending: the summary of what trends, per category and currency.
http::handler get_trending(catalog::trending_store& trends, product_cache& cache,
                           std::chrono::milliseconds ttl);
/// GET /categories: all of them, by name.
http::handler list_categories(catalog::product_store& products, product_cache& cache,
                              std::chrono::milliseconds ttl);

} // namespace tiktrend::gateway
