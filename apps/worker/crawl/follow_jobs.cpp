#include "follow_jobs.hpp"

#include "../jobs/job_data.hpp"
#include "../jobs/job_names.hpp"

#include <tiktrend/catalog/digest.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t priority_of_links = 20; ///< people's own jobs have 5
constexpr std::int32_t attempts_of_links = 3;

/// Stored as job ids while a crawl lasts.
std::string id_of(const std::string& crawl, const sources::follow_up& link) {
    const auto what = link.source + '\n' + link.filters;
    return fmt::format("link-{:016x}{:016x}", catalog::text_digest(crawl), catalog::text_digest(what));
}

} // namespace

std::vector<queue::new_job> follow_jobs(const std::vector<sources::follow_up>& links,
                                        const scrape_order& order, const sources::registry& definitions,
                                        std::chrono::milliseconds min_delay) {
    std::vector<queue::new_job> out;
    if (order.depth >= most_links_deep) return out;
    out.reserve(links.size());
    job_data data;
    data.request_id = order.request_id;
    data.owner = order.owner;
    data.crawl = order.crawl;
    data.depth = order.depth + 1;
    std::chrono::milliseconds start{0};
    for (const auto& link : links) {
        const auto target = definitions.find(link.source);
        if (!target) continue; // the registry has checked it; a newer one may have lost it
        data.source = link.source;
        data.filters = link.filters;
        queue::job_options o;
        o.id = id_of(order.crawl, link);
        o.priority = priority_of_links;
        o.attempts = attempts_of_links;
        o.backoff = queue::backoff_options{"exponential", 2000ms};
        o.delay = start;
        out.emplace_back(std::string{scrape_products_name}, to_json(data), std::move(o));
        start += std::max(target->politeness.delay, min_delay) / std::max(1, target->politeness.concurrency);
    }
    return out;
}

} // namespace tiktrend::worker
