#pragma once
// One response as rules see it. The body is parsed when the first rule asks for it, and only once.
#include "plan.hpp"

#include <tiktrend/sources/page.hpp>

#include <string_view>

namespace tiktrend::sources {

class page_facts {
public:
    /// All must live as long as this object.
    page_facts(const response_view& response, const page_state& state, json_document& document)
        : response_{response}, state_{state}, document_{document} {}

    bool holds(const condition& when);
    bool holds(const value_test& test);

    json_status json();
    /// The root of a document; nothing unless json() is ok. All documents are the one body.
    json_node root(std::size_t document);
    /// True if the body is rather HTML (or XML) than anything else.
    bool looks_like_markup() const noexcept;
    const response_view& response() const noexcept { return response_; }
    const std::string& json_problem() const noexcept { return document_.problem(); }
    const document_notes& notes() const noexcept { return document_.notes(); }

private:
    bool redirects_to(std::string_view glob) const;

    const response_view& response_;
    const page_state& state_;
    json_document& document_;
    std::optional<json_status> json_;
};

} // namespace tiktrend::sources
