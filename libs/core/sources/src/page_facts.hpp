#pragma once
// One response as rules see it.
#include "documents/document_set.hpp"
#include "plan.hpp"

#include <tiktrend/sources/page.hpp>

#include <string>
#include <string_view>

namespace tiktrend::sources {

class page_facts {
public:
    /// All must live as long as this object. `documents` is set to this response.
    page_facts(const plan& rules, const response_view& response, const page_state& state,
               document_set& documents)
        : rules_{rules}, response_{response}, state_{state}, documents_{documents} {
        documents_.begin(rules.documents, response_);
    }

    bool holds(const condition& when);
    bool holds(const value_test& test);

    document_set& documents() noexcept { return documents_; }
    /// The first value of a header; `name` in lower case. Empty if there is none.
    std::string_view header(std::string_view name) const noexcept;
    /// What a pagination rule points at; empty if there is nothing.
    std::string text_at(const paging_rule& pages, const paging_rule::place& place);
    /// The target of the Link header with that relation (RFC 8288 section 3), as written.
    std::string_view link(std::string_view relation) const noexcept;

private:
    bool redirects_to(std::string_view glob) const;
    bool matches(const selector& what);

    const plan& rules_;
    const response_view& response_;
    const page_state& state_;
    document_set& documents_;
};

} // namespace tiktrend::sources
