#pragma once
#include <tiktrend/base/error.hpp>

#include <string>
#include <string_view>

namespace tiktrend::worker {

/// What a scraping job's data holds: {"source","filters","request_id","owner"}, "unmetered" in schedules that
/// an administrator made, and what workers add to jobs that they make: "crawl" and "depth" to those for
/// links, "report" to one that waits for its images.
struct job_data {
    std::string source;
    std::string filters = "{}"; ///< JSON object text, checked by the definition
    std::string request_id;     ///< of the API call that asked for it; may be empty
    std::string owner;          ///< who asked, as the gateway names principals; may be empty
    bool is_unmetered = false;  ///< counted for the owner, but not refused when the quota is used up
    std::string crawl;          ///< the job that the chain of links began with; empty: this one
    int depth = 0;              ///< links from there
    std::string report;         ///< JSON object: the return value of a scrape that is done; empty: none
};

struct bad_job_data {
    std::string reason;
};

/// Reads it; the error is one line for `failedReason`. Anybody can add jobs, so nothing is taken for granted:
/// unknown members, wrong types and text that is not JSON are all refused.
result<job_data, bad_job_data> parse_job_data(std::string_view json);

/// The same as text; members that say nothing are left out.
std::string to_json(const job_data& data);

} // namespace tiktrend::worker
