#pragma once
// The product in the state that a page carries for its own scripts (__NEXT_DATA__, __NUXT__,
// __INITIAL_STATE__, __APOLLO_STATE__, dataLayer, Shopify's product JSON, …): found by what it looks like,
// since every shop names it otherwise.
#include "html/raw_html.hpp"
#include "structured/page_hints.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tiktrend::sources {

/// In the shape of append_schema_item(), nothing if no object has a title that agrees with the page's and a
/// price near it.
std::optional<std::string> state_product(const std::vector<script_block>& scripts, const page_hints& page);

} // namespace tiktrend::sources
