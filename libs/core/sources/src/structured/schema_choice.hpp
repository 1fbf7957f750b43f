#pragma once
// Finding the one thing that a page is about among all that its structured data describes.
#include "json_document.hpp"
#include "structured/page_hints.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// The best item of one of `types` (earlier ones first where several fit; empty: any type) in the documents,
/// as append_schema_item() writes it; nothing if there is none. Looked for in lists, @graph, mainEntity,
/// itemListElement and wherever else things stand within things. Of several: the one that has the page's
/// address, then its title, then a price; related products and elements of lists come last, and a page that
/// lists many products of which none has its title is about none of them.
std::optional<std::string> choose_item(const std::vector<json_node>& documents,
                                       const std::vector<std::string>& types, const page_hints& page);

} // namespace tiktrend::sources
