#pragma once
#include "html/html_document.hpp"
#include "structured/page_hints.hpp"

#include <optional>
#include <string>

namespace tiktrend::sources {

/// The <meta> properties of a page as an object: "og:title", "product:price:amount", … as written (the first
/// of each name), and the same facts in the shape of append_schema_item(): name, image, sku (or gtin where
/// the retailer's item id is one) and one offer, the price on sale before the regular one. Nothing if the
/// page has no property with a colon in its name.
std::optional<std::string> open_graph_json(html_document& page, const page_hints& hints);

} // namespace tiktrend::sources
