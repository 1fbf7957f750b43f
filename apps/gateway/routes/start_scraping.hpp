#pragma once
#include "quota_book.hpp"

#include <tiktrend/http/router.hpp>
#include <tiktrend/queue/queue.hpp>
#include <tiktrend/sources/registry.hpp>

namespace tiktrend::gateway {

/// POST /scraping/start {source, filters?, priority?, attempts?, backoff?, delay?}: checks the source and its
/// filters against the definition and adds one `scrape_products` job. 202 {"job_id","status_url"} with
/// Location. Nothing is added unless the answer is 202. `defaults` are the options of a job that says
/// nothing. The caller's quota of scrapes is charged, and the job says whose it is.
http::handler start_scraping(queue::queue& jobs, const sources::registry& definitions,
                             queue::job_options defaults, quota_book& quotas);

} // namespace tiktrend::gateway
