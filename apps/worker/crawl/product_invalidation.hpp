#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/catalog/product_store.hpp>

#include <span>

namespace tiktrend::worker {

/// Tells the caches what a committed page has changed. Called after the commit; never fails a scrape: what
/// cannot be told now is told later.
class product_invalidation {
public:
    virtual ~product_invalidation() = default;
    virtual task<void> changed(std::span<const catalog::changed_product> products, postgres::lsn at) = 0;
    /// An earlier attempt may have ended between its commit and telling the caches, so nobody knows which
    /// products.
    virtual task<void> unknown_changed() = 0;
};

} // namespace tiktrend::worker
