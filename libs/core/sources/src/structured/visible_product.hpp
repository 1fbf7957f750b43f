#pragma once
// What a reader sees as the product of a page: the last resort when nothing is marked up.
#include "html/html_document.hpp"
#include "structured/page_hints.hpp"

#include <optional>
#include <string>

namespace tiktrend::sources {

/// In the shape of append_schema_item(): name, sku, gtin and one offer with price, listPrice, priceCurrency
/// and availability, each where it was found. Nothing if the page has no heading and no price.
std::optional<std::string> visible_product(html_document& page, const page_hints& hints);

} // namespace tiktrend::sources
