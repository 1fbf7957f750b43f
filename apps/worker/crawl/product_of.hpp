#pragma once
#include <tiktrend/catalog/product.hpp>
#include <tiktrend/sources/definition.hpp>
#include <tiktrend/sources/record.hpp>

namespace tiktrend::worker {

/// A record of a page as the product table takes it. Canonical fields that have no column of their own
/// (vendor, tags, in_stock …) become members of `attributes`, beside the definition's own fields.
catalog::scraped_product product_of(sources::record record, const sources::definition& source,
                                    std::int64_t now_ms);

} // namespace tiktrend::worker
