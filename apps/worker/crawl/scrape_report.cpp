#include "scrape_report.hpp"

#include <boost/json.hpp>

namespace tiktrend::worker {
namespace json = boost::json;

void scrape_report::add(const sources::page_result& page) {
    ++outcomes[std::string{sources::name_of(page.outcome)}];
    const auto& s = page.statistics;
    rows += s.rows;
    invalid_rows += s.rows - s.valid;
    for (const auto& f : s.fields) {
        if (f.missing == 0 && f.rejected == 0) continue;
        auto& counts = fields[std::string{f.name}];
        counts.missing += f.missing;
        counts.rejected += f.rejected;
    }
}

std::string scrape_report::progress_json() const {
    return json::serialize(json::object{{"page", totals.pages},
                                        {"pages", totals.pages},
                                        {"products_found", totals.products_found},
                                        {"products_changed", totals.products_changed}});
}

std::string scrape_report::result_json(std::chrono::milliseconds elapsed) const {
    json::object pages_by_outcome;
    for (const auto& [name, n] : outcomes)
        pages_by_outcome[name] = n;
    json::object field_problems;
    for (const auto& [name, counts] : fields)
        field_problems[name] = json::object{{"missing", counts.missing}, {"rejected", counts.rejected}};
    json::object out{{"products_found", totals.products_found},
                     {"products_changed", totals.products_changed},
                     {"pages", totals.pages},
                     {"requests", requests},
                     {"bytes", bytes},
                     {"bytes_decoded", bytes_decoded},
                     {"retries", retries},
                     {"rate_limited", rate_limited},
                     {"not_modified", not_modified},
                     {"rows", rows},
                     {"invalid_rows", invalid_rows},
                     {"resumed_at", resumed_at},
                     {"end", end},
                     {"outcomes", std::move(pages_by_outcome)},
                     {"fields", std::move(field_problems)},
                     {"source", source},
                     {"version", version},
                     {"duration_ms", elapsed.count()}};
    return json::serialize(out);
}

} // namespace tiktrend::worker
