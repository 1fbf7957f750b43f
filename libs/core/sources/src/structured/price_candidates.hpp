#pragma once
// Texts on a page that look like the price of its product, best first.
#include "html/html_document.hpp"
#include "structured/page_hints.hpp"

#include <string>
#include <vector>

namespace tiktrend::sources {

struct price_candidate {
    html_node node;
    std::string text;
    double score = 0;
    bool is_old = false; ///< struck through or called old: what it cost before
};

/// Scored by what their elements are called (price, sale, old, shipping, …), by a currency sign, by how near
/// they stand to the heading, and by whether they are part of something else (navigation, related products).
/// At most 50, best first; those with a score below 5 are no candidates.
std::vector<price_candidate> price_candidates(html_document& page, const page_hints& hints);

/// True if a name within the class or id of `node` or of the elements around it begins with one of the parts
/// that mean "about something else": related, footer, navigation, …
bool is_aside(html_node node);

} // namespace tiktrend::sources
