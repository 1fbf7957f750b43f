// What one node of a tree answers.
#include "html/html_document.hpp"

#include <libxml/tree.h>

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

std::string_view view_of(const xmlChar* text) noexcept {
    return text == nullptr ? std::string_view{} : std::string_view{reinterpret_cast<const char*>(text)};
}

bool is_one_of(std::string_view name, const auto& names) noexcept {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Elements that begin and end a line.
bool is_block(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 37> names{
        "address", "article", "aside", "blockquote", "br",    "dd",     "div", "dl",  "dt",      "fieldset",
        "figure",  "footer",  "form",  "h1",         "h2",    "h3",     "h4",  "h5",  "h6",      "header",
        "hr",      "li",      "main",  "nav",        "ol",    "option", "p",   "pre", "section", "table",
        "tbody",   "td",      "tfoot", "th",         "thead", "tr",     "ul"};
    return is_one_of(name, names);
}

bool is_hidden(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 4> names{"script", "style", "noscript", "template"};
    return is_one_of(name, names);
}

/// Leaves fewer than `most` bytes or whole characters.
void cut(std::string& text, std::size_t most) {
    if (text.size() < most) return;
    text.resize(most);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U)
        text.pop_back();
    if (!text.empty() && static_cast<signed char>(text.back()) < 0) text.pop_back();
}

/// Text with blanks collapsed while it is written.
class text_writer {
public:
    explicit text_writer(std::size_t most) : most_{most} {}

    void add(std::string_view text) {
        for (std::size_t i = 0; i < text.size() && out_.size() < most_; ++i) {
            const char c = text[i];
            const bool is_no_break = c == '\xC2' && i + 1 < text.size() && text[i + 1] == '\xA0';
            if (is_no_break) ++i;
            if (is_no_break || c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
                has_blank_ = true;
                continue;
            }
            if (!out_.empty() && (has_line_ || has_blank_)) out_ += has_line_ ? '\n' : ' ';
            has_line_ = has_blank_ = false;
            out_ += c;
        }
    }
    void line() noexcept { has_line_ = true; }
    bool is_full() const noexcept { return out_.size() >= most_; }

    std::string take() {
        cut(out_, most_);
        return std::move(out_);
    }

private:
    std::string out_;
    std::size_t most_;
    bool has_blank_ = false;
    bool has_line_ = false;
};

} // namespace

html_node next_in_order(html_node node, html_node root, bool into_children) noexcept {
    auto* at = node.raw();
    if (into_children && at->type != XML_ENTITY_REF_NODE && at->children != nullptr)
        return html_node{at->children};
    while (at != nullptr && at != root.raw()) {
        if (at->next != nullptr) return html_node{at->next};
        at = at->parent;
    }
    return {};
}

bool html_node::is_element() const noexcept {
    return node_ != nullptr && node_->type == XML_ELEMENT_NODE;
}

bool html_node::is_text() const noexcept {
    return node_ != nullptr && (node_->type == XML_TEXT_NODE || node_->type == XML_CDATA_SECTION_NODE);
}

std::string_view html_node::name() const noexcept {
    return is_element() ? view_of(node_->name) : std::string_view{};
}

std::string_view html_node::content() const noexcept {
    if (is_text()) return view_of(node_->content);
    if (node_ != nullptr && node_->type == XML_ATTRIBUTE_NODE && node_->children != nullptr)
        return view_of(node_->children->content);
    return {};
}

std::string_view html_node::attribute(const char* attribute_name) const noexcept {
    if (!is_element()) return {};
    const auto* a = xmlHasProp(node_, reinterpret_cast<const xmlChar*>(attribute_name));
    if (a == nullptr || a->children == nullptr) return {};
    return view_of(a->children->content);
}

bool html_node::has_attribute(const char* attribute_name) const noexcept {
    return is_element() && xmlHasProp(node_, reinterpret_cast<const xmlChar*>(attribute_name)) != nullptr;
}

html_node html_node::parent() const noexcept {
    const html_node up{node_ == nullptr ? nullptr : node_->parent};
    return up.is_element() ? up : html_node{};
}

html_node html_node::first_child() const noexcept {
    return html_node{is_element() ? node_->children : nullptr};
}

html_node html_node::next() const noexcept {
    return html_node{node_ == nullptr ? nullptr : node_->next};
}

std::string html_node::text(std::size_t max_bytes) const {
    if (!exists()) return {};
    text_writer out{max_bytes};
    if (!is_element()) {
        out.add(content());
        return out.take();
    }
    // Down and up again, as elements end lines too.
    auto* at = node_;
    while (at != nullptr && !out.is_full()) {
        const html_node here{at};
        if (here.is_text()) out.add(view_of(at->content));
        const bool is_open = here.is_element() && (at == node_ || !is_hidden(here.name()));
        if (here.is_element() && is_block(here.name())) out.line();
        if (is_open && at->children != nullptr) {
            at = at->children;
            continue;
        }
        while (at != nullptr && at != node_ && at->next == nullptr) {
            at = at->parent;
            if (at != nullptr && is_block(html_node{at}.name())) out.line();
        }
        if (at == nullptr || at == node_) break;
        at = at->next;
    }
    return out.take();
}

} // namespace tiktrend::sources
