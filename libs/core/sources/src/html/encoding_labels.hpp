#pragma once
#include <string_view>

namespace tiktrend::sources {

/// An encoding of the WHATWG Encoding Standard. The names live for ever.
struct text_encoding {
    std::string_view name;  ///< as the standard spells it, lower case
    std::string_view iconv; ///< what iconv calls it; empty for those that are decoded here or never
};

/// The encoding that a label stands for ("latin1" → windows-1252), by the table of section 4.2 of the
/// standard (https://encoding.spec.whatwg.org/#names-and-labels); null for unknown labels. Case and blanks
/// around it do not matter.
const text_encoding* encoding_of_label(std::string_view label) noexcept;

} // namespace tiktrend::sources
