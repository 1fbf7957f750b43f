#pragma once
#include "definitions.hpp"
#include "outbox/job_intake.hpp"
#include "quota_book.hpp"

#include <tiktrend/http/router.hpp>

namespace tiktrend::gateway {

/// POST /scraping/start {source, filters?, priority?, attempts?, backoff?, delay?}: checks the source and its
/// filters against the definition and adds one `scrape_products` job. 202 {"job_id","status_url"} with
/// Location. Nothing is added unless the answer is 202. `defaults` are the options of a job that says
/// nothing. The caller's quota of scrapes is charged, and the job says whose it is.
http::handler start_scraping(job_intake& jobs, const definition_shelf& definitions,
                             queue::job_options defaults, quota_book& quotas);

/// POST /scraping/batch {items: [order, …]} with 1 to 1,000 orders as start_scraping() takes them: 202 with
/// one
/// {"job_id","status_url"} or {"problem"} per item, in order. A wrong item does not stop the others; the
/// quota is charged for all good ones or, with 429, nothing is added.
http::handler start_scraping_batch(job_intake& jobs, const definition_shelf& definitions,
                                   queue::job_options defaults, quota_book& quotas);

} // namespace tiktrend::gateway
