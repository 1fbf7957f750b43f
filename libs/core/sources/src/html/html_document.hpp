#pragma once
// A page as a tree: libxml2 2.9.14 with the traps of the scraping notes (section 4.4) closed. Depth, number
// of nodes and attributes are bounded, what was cut is told, entities of XML are not expanded, nothing is
// loaded from anywhere.
#include "html/selector.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct _xmlNode;

namespace tiktrend::sources {

/// One node of a tree. A small handle; valid until its document parses again or dies.
class html_node {
public:
    html_node() noexcept = default;
    explicit html_node(_xmlNode* node) noexcept : node_{node} {}

    bool exists() const noexcept { return node_ != nullptr; }
    _xmlNode* raw() const noexcept { return node_; }
    friend bool operator==(html_node, html_node) = default;

    bool is_element() const noexcept;
    std::string_view name() const noexcept; ///< of an element, lower case in HTML; else empty
    /// Text of an attribute of an element; empty if it has none of that name.
    std::string_view attribute(const char* attribute_name) const noexcept;
    bool has_attribute(const char* attribute_name) const noexcept;

    html_node parent() const noexcept;      ///< element or nothing
    html_node first_child() const noexcept; ///< of any kind
    html_node next() const noexcept;        ///< sibling of any kind
    /// What a reader sees of it: text without scripts and styles, a line feed at blocks and <br>, blanks
    /// collapsed. At most `max_bytes` (cut at a character).
    std::string text(std::size_t max_bytes = 65'536) const;
    /// Text of a text node or attribute, as it is.
    std::string_view content() const noexcept;
    bool is_text() const noexcept;

private:
    _xmlNode* node_ = nullptr;
};

/// The node behind `node` in document order within `root`; nothing at the end.
html_node next_in_order(html_node node, html_node root, bool into_children = true) noexcept;

enum class select_status : std::uint8_t { ok, too_costly, failed };

class html_document {
public:
    static constexpr std::size_t max_nodes = 400'000;
    static constexpr int max_depth = 400;
    /// Steps of one selection and of all selections on one page.
    static constexpr unsigned long max_operations = 3'000'000;
    static constexpr unsigned long max_page_operations = 60'000'000;

    html_document();
    ~html_document();
    html_document(html_document&&) noexcept;
    html_document& operator=(html_document&&) noexcept;

    /// `text` is valid UTF-8 without U+0000. False if there is no element at all.
    bool parse_html(std::string_view text);
    /// XML with namespace prefixes dropped. False if it has no root; broken XML is read as far as it goes.
    bool parse_xml(std::string_view text);
    void clear() noexcept;

    html_node root() const noexcept;                   ///< the document element
    bool was_cut() const noexcept { return was_cut_; } ///< depth, nodes or attributes reached their limit
    std::size_t node_count() const noexcept { return nodes_; }

    /// Calls visit(html_node) for every match in document order until it returns false. Compiled selectors
    /// are kept, so that the next row costs no compilation.
    template <class Visit>
    select_status select(const selector& what, html_node from, Visit&& visit);
    html_node first(const selector& what, html_node from);

private:
    friend struct tree_builder;
    struct state;

    /// Fills found_.
    select_status find(const selector& what, html_node from);

    std::unique_ptr<state> state_;
    std::vector<_xmlNode*> found_;
    std::size_t nodes_ = 0;
    bool was_cut_ = false;
};

/// What a selector gives for a matched node: an attribute or its text.
std::string value_of(const selector& what, html_node node);

template <class Visit>
select_status html_document::select(const selector& what, html_node from, Visit&& visit) {
    if (const auto status = find(what, from); status != select_status::ok) return status;
    const auto found = std::move(found_); // a visitor may select again
    for (auto* node : found)
        if (!visit(html_node{node})) break;
    return select_status::ok;
}

} // namespace tiktrend::sources
