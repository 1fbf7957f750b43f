#pragma once
// What must be known of a page before its tree: a tokenizer for tags and raw text. Scripts are read here and
// not from the tree, where the parser mends what looks like tags inside of them.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

struct script_block {
    std::string_view attributes; ///< as written
    std::string_view text;       ///< from the start tag to "</script", or to the end of the page
    bool is_closed = true;

    /// The value of an attribute as written (quotes dropped, references not decoded); empty if it is absent.
    std::string_view attribute(std::string_view name) const noexcept;
};

inline constexpr std::size_t max_scripts = 500; ///< of one page; further ones are not looked at

/// The scripts of a page in order. Comments, styles, textareas and titles are passed over as raw text.
/// Linear. The views are into `html`.
std::vector<script_block> find_scripts(std::string_view html);

inline constexpr std::size_t max_attributes = 256; ///< of one tag that are kept

/// libxml2 compares each attribute of a tag with all before it, and looks for the element of a stray end tag
/// through all that are open: a page of a million of either costs minutes. A copy of `html` with tags cut to
/// max_attributes and, where a page has very many end tags, without those that close nothing; empty if
/// nothing had to go.
std::string tame_html(std::string_view html);

} // namespace tiktrend::sources
