#pragma once
#include "cursor.hpp"
#include "product_cache.hpp"

#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/http/router.hpp>

namespace tiktrend::gateway {

/// A product as its answer's body, from a server that has replayed `at_least`.
task<product_cache::loaded> load_product(catalog::product_store& products, std::int64_t id,
                                         postgres::lsn at_least = {});

/// `cursors` also signed the consistency tokens that reads bring. GET /products: a filtered, sorted page,
/// from the cache when it has it (docs/http-api.md).
http::handler list_products(catalog::product_store& products, product_cache& cache,
                            const cursor_signer& cursors);

/// GET /products/{id}: one product, 404 `product_not_found`.
http::handler get_product(catalog::product_store& products, product_cache& cache,
                          const cursor_signer& cursors);

} // namespace tiktrend::gateway
