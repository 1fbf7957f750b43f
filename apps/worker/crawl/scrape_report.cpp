#include "scrape_report.hpp"

#include <boost/json.hpp>

#include <cmath>
#include <numeric>

namespace tiktrend::worker {
namespace json = boost::json;
namespace {

constexpr std::int64_t least_rows = 10; ///< fewer say nothing about a source

std::int64_t later_wins(const std::vector<std::int64_t>& won) {
    return won.empty() ? 0 : std::accumulate(won.begin() + 1, won.end(), std::int64_t{0});
}

double rounded(double share) {
    return std::round(share * 1000) / 1000;
}

double share(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : rounded(static_cast<double>(part) / static_cast<double>(whole));
}

} // namespace

void scrape_report::add(const sources::page_result& page) {
    ++outcomes[std::string{sources::name_of(page.outcome)}];
    const auto& s = page.statistics;
    rows += s.rows;
    invalid_rows += s.rows - s.valid;
    duplicates += s.duplicates;
    over_limit += s.over_limit;
    for (const auto& p : s.problems)
        if (problems.size() < most_problems) problems.push_back(p);
    mended.duplicate_keys += s.notes.duplicate_keys;
    mended.replaced_surrogates += s.notes.replaced_surrogates;
    repaired_pages += s.notes.repaired_utf8;
    cut_pages += s.notes.cut_markup;
    for (const auto& f : s.fields) {
        auto at = fields.find(f.name);
        if (at == fields.end()) at = fields.emplace(f.name, field_counts{}).first;
        auto& counts = at->second;
        counts.missing += f.missing;
        counts.rejected += f.rejected;
        if (counts.won.size() < f.won.size()) counts.won.resize(f.won.size());
        for (std::size_t i = 0; i < f.won.size(); ++i)
            counts.won[i] += f.won[i];
    }
}

std::string scrape_report::progress_json() const {
    return json::serialize(json::object{{"page", totals.pages},
                                        {"pages", totals.pages},
                                        {"products_found", totals.products_found},
                                        {"products_changed", totals.products_changed}});
}

std::vector<catalog::field_health> scrape_report::health() const {
    std::vector<catalog::field_health> out;
    if (rows < least_rows) return out;
    for (const auto& [name, counts] : fields) {
        const auto found = rows - counts.missing - counts.rejected;
        out.push_back({name, "found", static_cast<double>(found) / static_cast<double>(rows)});
        if (counts.won.size() > 1 && found >= least_rows)
            out.push_back({name, "first",
                           1.0 - static_cast<double>(later_wins(counts.won)) / static_cast<double>(found)});
    }
    return out;
}

std::string scrape_report::result_json(std::chrono::milliseconds elapsed) const {
    json::object pages_by_outcome;
    for (const auto& [name, n] : outcomes)
        pages_by_outcome[name] = n;
    json::object field_problems;
    for (const auto& [name, counts] : fields) {
        const bool is_as_hoped = counts.missing == 0 && counts.rejected == 0 && later_wins(counts.won) == 0;
        if (is_as_hoped) continue;
        json::object one{{"missing", counts.missing},
                         {"rejected", counts.rejected},
                         {"missing_share", share(counts.missing + counts.rejected, rows)}};
        if (counts.won.size() > 1) one["won"] = json::array(counts.won.begin(), counts.won.end());
        field_problems[name] = std::move(one);
    }
    json::array drifting;
    for (const auto& d : drift)
        drifting.push_back(json::object{{"field", d.field},
                                        {"measure", d.measure},
                                        {"latest", rounded(d.latest)},
                                        {"usual", rounded(d.usual)},
                                        {"since_ms", d.since_ms}});
    json::array refused;
    for (const auto& p : problems)
        refused.push_back(json::object{{"row", p.row}, {"field", p.field}, {"message", p.message}});
    json::object notes{{"duplicate_keys", mended.duplicate_keys},
                       {"replaced_surrogates", mended.replaced_surrogates},
                       {"repaired_pages", repaired_pages},
                       {"cut_pages", cut_pages}};
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
                     {"duplicates", duplicates},
                     {"over_limit", over_limit},
                     {"problems", std::move(refused)},
                     {"mended", std::move(notes)},
                     {"resumed_at", resumed_at},
                     {"end", end},
                     {"outcomes", std::move(pages_by_outcome)},
                     {"fields", std::move(field_problems)},
                     {"drift", std::move(drifting)},
                     {"links_followed", links_followed},
                     {"links_left", links_left},
                     {"image_jobs", image_jobs},
                     {"source", source},
                     {"version", version},
                     {"duration_ms", elapsed.count()}};
    return json::serialize(out);
}

} // namespace tiktrend::worker
