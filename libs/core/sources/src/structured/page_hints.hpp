#pragma once
// What a page says of itself as a whole: the measure for which of several products on it is the one.
#include "html/html_document.hpp"

#include <string>
#include <string_view>

namespace tiktrend::sources {

struct page_hints {
    std::string url;       ///< address that answered
    std::string canonical; ///< <link rel=canonical> or og:url; may be empty
    std::string heading;   ///< the <h1> that agrees best with the titles; may be empty
    std::string og_title;
    std::string page_title; ///< <title>
    std::string language;   ///< "pt", lower case; may be empty
    std::string country;    ///< "BR": from the language tag, else from the host's ending; may be empty
};

page_hints hints_of(html_document& page, std::string_view url);
/// Country and language alone, when there is no tree. `language_tag` as in <html lang>.
void set_locale(page_hints& out, std::string_view language_tag);

/// How well two titles agree, 0 to 1: the share of the shorter one's words that the other has too, 1 for
/// equal ones.
double likeness(std::string_view a, std::string_view b);

/// The best likeness of `title` with those of the page.
double likeness(std::string_view title, const page_hints& page);

/// True if both addresses have the same host and path.
bool is_same_page(std::string_view a, std::string_view b) noexcept;

} // namespace tiktrend::sources
