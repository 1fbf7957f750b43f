#pragma once
#include "scrape_order.hpp"

#include <tiktrend/queue/job_options.hpp>
#include <tiktrend/sources/page.hpp>
#include <tiktrend/sources/registry.hpp>

#include <chrono>
#include <vector>

namespace tiktrend::worker {

/// A chain of links (sitemap index → sitemap → page) longer than this ends: lists that name each other.
inline constexpr int most_links_deep = 4;

/// The jobs for the links that a page of `order` hands on (sources::page_result::follow). One link is one job
/// per crawl, whatever page names it and however often the page is read: the job's id is a digest of the
/// crawl and of what is asked. They come after what people asked for, and begin spread by the delay of the
/// source that reads them, so that a thousand jobs do not stand in line for one host. None beyond
/// most_links_deep.
std::vector<queue::new_job> follow_jobs(const std::vector<sources::follow_up>& links,
                                        const scrape_order& order, const sources::registry& definitions,
                                        std::chrono::milliseconds min_delay);

} // namespace tiktrend::worker
