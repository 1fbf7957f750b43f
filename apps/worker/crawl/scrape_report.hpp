#pragma once
#include <tiktrend/catalog/scrape_run.hpp>
#include <tiktrend/catalog/source_health.hpp>
#include <tiktrend/sources/page.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tiktrend::worker {

/// What one job did, for its progress and its return value. Totals are those of all attempts (from the
/// ledger); the rest counts this attempt.
struct scrape_report {
    std::string source;
    int version = 0; ///< of the definition
    catalog::run_state totals;
    std::int64_t resumed_at = 0; ///< pages that earlier attempts had committed
    std::int64_t requests = 0;
    std::int64_t bytes = 0; ///< as transferred
    std::int64_t bytes_decoded = 0;
    std::int64_t retries = 0;
    std::int64_t rate_limited = 0;
    std::int64_t not_modified = 0;
    std::int64_t rows = 0;
    std::int64_t invalid_rows = 0;              ///< without a required field or a key
    std::int64_t duplicates = 0;                ///< rows whose key came before
    std::int64_t over_limit = 0;                ///< rows and links cut by max_items
    std::vector<sources::row_problem> problems; ///< the first ones, at most most_problems
    sources::document_notes mended;             ///< sums; the two truths are pages
    std::int64_t repaired_pages = 0;
    std::int64_t cut_pages = 0; ///< markup deeper or larger than a tree may be: rows or links may be missing
    std::map<std::string, std::int64_t, std::less<>> outcomes; ///< pages by outcome
    std::int64_t links_followed = 0;                           ///< jobs made for links
    std::int64_t links_left = 0; ///< links without a job: too deep, or refused by the queue
    std::int64_t image_jobs = 0; ///< jobs made to mirror images
    struct field_counts {
        std::int64_t missing = 0;
        std::int64_t rejected = 0;
        std::vector<std::int64_t> won; ///< rows per alternative, in file order
    };
    std::map<std::string, field_counts, std::less<>> fields; ///< of the rows read by this attempt
    std::string end;                                         ///< why there was no further page
    std::vector<catalog::field_drift> drift;                 ///< fields read far worse than usual

    static constexpr std::size_t most_problems = 10;
    void add(const sources::page_result& page);

    /// {"page","pages","products_found","products_changed"}
    std::string progress_json() const;
    /// What source_health compares over runs; empty with too few rows to mean anything.
    std::vector<catalog::field_health> health() const;
    /// The job's return value.
    std::string result_json(std::chrono::milliseconds elapsed) const;
};

} // namespace tiktrend::worker
