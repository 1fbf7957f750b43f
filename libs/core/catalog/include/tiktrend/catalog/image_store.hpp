#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/postgres/router.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tiktrend::catalog {

struct mirrored_image {
    std::int64_t product_id = 0;
    std::string image_url;     ///< the product must still have this one
    std::string image_cdn_url; ///< our copy
};

/// Where the copies of product images are. Any number of coroutines may share one.
class image_store {
public:
    explicit image_store(postgres::router& router) : router_{router} {}

    /// Writes them in one statement; products that have another image by now, or are gone, are left out.
    /// What caches must forget, and from which position on. Tried again after a deadlock or a serialization
    /// failure.
    task<committed_page> set(std::vector<mirrored_image> images);

private:
    postgres::router& router_;
};

} // namespace tiktrend::catalog
