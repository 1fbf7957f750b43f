#pragma once
// From bytes to UTF-8: which encoding a page is in, and its text in ours. Scraping rule 30.
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// The name of the encoding of a page (lower case, lives for ever), decided as browsers do (HTML standard,
/// section "determining the character encoding"): byte-order mark, then the charset of the Content-Type
/// header, then <meta> or the XML declaration in the first 4096 bytes. Without any of these: utf-8 if the
/// bytes are valid UTF-8 beyond ASCII, else windows-1252.
std::string_view encoding_of(std::string_view bytes, std::string_view content_type) noexcept;

struct decoded_text {
    std::string_view text;         ///< valid UTF-8 without byte-order mark and U+0000
    std::string_view encoding;     ///< lives for ever
    bool has_replacements = false; ///< something was not valid in that encoding and became U+FFFD
};

/// `bytes` in UTF-8. The text lies in `bytes` where they are that already, else in `storage`; it takes at
/// most three times the bytes.
decoded_text decode_text(std::string_view bytes, std::string_view content_type, std::string& storage);

/// What a <meta> of the first 4096 bytes or an XML declaration names: a label, empty if there is none.
std::string_view declared_charset(std::string_view bytes) noexcept;

} // namespace tiktrend::sources
