#pragma once
#include <tiktrend/http/router.hpp>
#include <tiktrend/queue/queue.hpp>
#include <tiktrend/sources/registry.hpp>

#include <functional>

namespace tiktrend::gateway {

/// POST /scraping/start {source, filters?, priority?, attempts?, backoff?, delay?}: checks the source and its
/// filters against the definition and adds one `scrape_products` job. 202 {"job_id","status_url"} with
/// Location. Nothing is added unless the answer is 202. `defaults` are the options of a job that says
/// nothing; `on_accepted` is called after each job was added.
http::handler start_scraping(queue::queue& jobs, const sources::registry& definitions,
                             queue::job_options defaults, std::function<void()> on_accepted);

} // namespace tiktrend::gateway
