#pragma once
#include "catalogue.hpp"

#include <string>
#include <string_view>

namespace tiktrend::demo_shop {

/// The shop's own list: `{"page","pages","total","products":[…]}`. Pages count from 1; past the end the list
/// is empty. `origin` ("http://127.0.0.1:8080") begins the image addresses.
std::string own_list(const catalogue& c, std::size_t page, std::size_t per_page, std::string_view origin);
std::string own_product(const product& p, std::string_view origin);

/// The same products as the storefront list that Shopify shops publish without a key: `{"products":[…]}` with
/// variants and images, prices as decimal text, no currency.
std::string storefront_list(const catalogue& c, std::size_t page, std::size_t limit, std::string_view origin);
std::string storefront_product(const product& p, std::string_view origin);

/// A product's page for people, with its data as JSON-LD, and its picture.
std::string product_page(const product& p, std::string_view origin);
std::string picture(const product& p);
std::string front_page(const catalogue& c);

} // namespace tiktrend::demo_shop
