#pragma once
// Things described with schema.org's words, in one shape whatever way a page wrote them.
#include "json_document.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tiktrend::sources {

/// Nodes by their "@id", to follow references within a page.
using node_index = std::unordered_map<std::string, json_node>;

/// "Product" of "http://schema.org/Product", "schema:Product", "Product".
std::string_view bare_term(std::string_view term) noexcept;

/// The types of a node, bare; the views live in the document or in `scratch`.
std::vector<std::string> types_of(json_node node);

/// The member of that name in any case and with any prefix of schema.org ("lowprice", "schema:lowPrice").
json_node schema_member(json_node node, std::string_view name);

/// The text of a scalar, of {"@value": …}, of the first of a list of them, or of the name of an object;
/// nothing for the rest.
std::string schema_text(json_node node);

/// Appends `item` as a JSON object of one shape:
///
///     @type          its first type, bare
///     name, description, sku, mpn, brand, category, url, productID, color, size   text
///     gtin           text: the first of gtin13, gtin, gtin14, gtin12, gtin8, isbn
///     image          list of text
///     offers         list of {price, lowPrice, highPrice, listPrice, priceCurrency, availability, url, sku,
///                    priceSpecification: list of {price, priceCurrency, minPrice, maxPrice}}, prices as text
///                    or number; offers of variants stand here too where the item has none of its own
///     aggregateRating {ratingValue, reviewCount}
///     hasVariant     list of items of this shape
///     and every other member that is a scalar, under its bare name
void append_schema_item(std::string& out, json_node item, const node_index& index);

} // namespace tiktrend::sources
