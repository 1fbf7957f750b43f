#pragma once
#include "html/html_document.hpp"

#include <string>

namespace tiktrend::sources {

/// The microdata of a page (HTML standard, section 5) as JSON-LD-like text: a list of items, each with
/// "@type" and its properties; several values of one property are a list. Values come from the attributes
/// that the standard names, but `content` wins wherever it stands, as shops write it. itemref is followed.
std::string microdata_json(html_document& page);

} // namespace tiktrend::sources
