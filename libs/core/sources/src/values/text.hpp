#pragma once
// Making text fit to be stored: rule 36 of the design's bad inputs. What is stored is plain text; encoding it
// for a page is the reader's job.
#include <cstddef>
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// `text` without control characters (line feeds and tabs stay), bidirectional overrides and isolates,
/// byte-order marks and U+0000, cut to `max_characters` code points. `text` must be valid UTF-8.
std::string storable_text(std::string_view text, std::size_t max_characters);

/// Runs of blanks and line ends (also no-break spaces) become one blank, none at the ends.
std::string collapse_blanks(std::string_view text);

/// True if collapse_blanks() would change nothing.
bool is_collapsed(std::string_view text) noexcept;

/// Character references of HTML ("&amp;", "&#8211;", "&#x2013;") become characters; what is no reference
/// stays.
std::string decode_entities(std::string_view text);

/// The text of an HTML fragment: tags, comments, scripts and styles dropped, block elements and <br> become
/// line feeds, references decoded, blanks collapsed. Linear; reading stops once `max_characters` have
/// certainly been written.
std::string html_to_text(std::string_view html, std::size_t max_characters);

} // namespace tiktrend::sources
