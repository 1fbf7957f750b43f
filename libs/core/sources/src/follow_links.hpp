#pragma once
// Links of a page that become jobs of other sources.
#include "documents/document_set.hpp"
#include "plan.hpp"
#include "values/web_address.hpp"

#include <tiktrend/sources/page.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace tiktrend::sources {

class link_collector {
public:
    /// All must live as long as this object. `address`: what relative links are relative to.
    link_collector(const definition& source, const input_values& inputs, document_set& documents,
                   const page_address& address)
        : source_{source}, inputs_{inputs}, documents_{documents}, address_{address} {}

    /// Appends what the rule finds, each link once whatever rule finds it, until limits.max_items are there.
    /// Returns how often it stopped there: 1 or 0.
    std::int64_t add(const follow_rule& rule, std::vector<follow_up>& out);

private:
    follow_up made_of(const follow_rule& rule, std::string url) const;
    void append_inputs(std::string& out, const std::vector<std::string>& wanted) const;
    bool is_wanted(const follow_rule& rule, const std::string& url) const;

    const definition& source_;
    const input_values& inputs_;
    document_set& documents_;
    const page_address& address_;
    std::set<std::string, std::less<>> seen_;
};

} // namespace tiktrend::sources
