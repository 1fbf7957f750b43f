#pragma once
// The documents of one response: parsed when a rule first asks for one, and only once. Buffers are kept from
// page to page.
#include "html/html_document.hpp"
#include "html/raw_html.hpp"
#include "json_document.hpp"
#include "plan.hpp"
#include "structured/page_hints.hpp"

#include <tiktrend/sources/page.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

enum class document_status : std::uint8_t {
    ok,
    missing, ///< the page has no such script or item
    empty,   ///< the body is empty
    bad,     ///< it is there and cannot be read
};

class document_set {
public:
    document_set();
    ~document_set();
    document_set(document_set&&) noexcept;
    document_set& operator=(document_set&&) noexcept;

    /// Forgets the last page. Both must live as long as anything here is used.
    void begin(const std::vector<document_rule>& rules, const response_view& response);

    std::size_t size() const noexcept { return rules_->size(); }
    const document_rule& rule(std::size_t i) const noexcept { return (*rules_)[i]; }
    document_status status(std::size_t i);
    /// Why status() is not ok, in one line.
    std::string problem(std::size_t i);
    /// The root of a document that is no tree; nothing unless its status is ok.
    json_node json(std::size_t i);
    /// The root of a tree; nothing unless its status is ok.
    html_node tree(std::size_t i);
    /// The tree that `i` is a root of. `i` must be one.
    html_document& page(std::size_t i);

    /// True if the body can be read as JSON, whatever the definition makes of it.
    bool is_body_json();
    /// True if the body is rather HTML (or XML) than anything else.
    bool looks_like_markup() const noexcept;
    /// Of HTML bodies; the country alone for others.
    const page_hints& hints();
    /// What relative links of the page are relative to: its address, or what an HTML page names in <base>.
    std::string base_url();
    /// The body in UTF-8.
    std::string_view decoded();
    document_notes notes() const;

private:
    struct slot {
        std::optional<document_status> status;
        std::string text; ///< what `document` was parsed from, when that is not the body
        std::string problem;
        json_document document;
        bool is_used = false;
    };

    void load(std::size_t i);
    document_status load_body_json(const document_rule& rule, slot& into);
    document_status load_embedded(const document_rule& rule, slot& into);
    document_status load_structured(const document_rule& rule, slot& into);
    std::optional<std::string> item_text(const document_rule& rule, slot& into);
    document_status parse(slot& into);
    bool has_html();
    bool has_xml();
    const std::vector<script_block>& scripts();

    const std::vector<document_rule>* rules_ = nullptr;
    const response_view* response_ = nullptr;
    std::vector<std::unique_ptr<slot>> slots_;
    std::string storage_;
    std::optional<std::string_view> decoded_;
    bool was_repaired_ = false;
    html_document html_;
    html_document xml_;
    std::optional<bool> has_html_;
    std::optional<bool> has_xml_;
    std::optional<std::vector<script_block>> scripts_;
    std::optional<page_hints> hints_;
    std::optional<bool> is_body_json_;
};

} // namespace tiktrend::sources
