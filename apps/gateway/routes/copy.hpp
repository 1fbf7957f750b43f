#pragma once
#include "copy/copy_desk.hpp"
#include "product_cache.hpp"

#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/http/router.hpp>

namespace tiktrend::gateway {

/// POST /copy {product_id, tone?, language?, length?}: marketing copy of one product. 200 with the copy, its
/// model and the tokens it took; with `Accept: text/event-stream` the same in pieces: `delta` {"text"}, then
/// `done` with the whole answer, or `error` with a problem. 503 `copy_not_configured` without an endpoint.
http::handler write_copy(catalog::product_store& products, product_cache& cache, copy_desk& desk);

} // namespace tiktrend::gateway
