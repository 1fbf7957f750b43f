#pragma once
// Whether a page has a next one, and where it is.
#include "page_facts.hpp"

#include <string>

namespace tiktrend::sources {

class next_page {
public:
    /// All must live as long as this object. `state` is that of the page just read.
    next_page(const definition& source, const response_view& response, page_facts& facts, page_state& state)
        : source_{source}, pages_{source.plan->pages}, response_{response}, facts_{facts}, state_{state} {}

    /// Why there is none; page_end::none if there is one, whose cursor or link then stands in the state.
    /// `is_over`: the definition's `until` holds.
    page_end find(bool is_over);
    bool is_at_max_pages() const noexcept;

private:
    bool is_last() const;
    page_end follow(const std::string& link, std::string_view base);
    bool remember(std::string_view cursor);

    const definition& source_;
    const paging_rule& pages_;
    const response_view& response_;
    page_facts& facts_;
    page_state& state_;
};

} // namespace tiktrend::sources
