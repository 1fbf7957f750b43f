#pragma once
#include "cursor.hpp"

#include <tiktrend/http/router.hpp>
#include <tiktrend/queue/queue.hpp>

namespace tiktrend::gateway {

/// GET /scraping/jobs?state=&limit=&cursor=: jobs, newest first in each state; other people's are left out
/// unless the caller is an administrator. One request looks at 2,000 jobs at most, so a page may be short, or
/// empty, and still have a next_cursor. A list that moves while it is paged is followed over up to 200 jobs;
/// beyond that a page may repeat or miss some.
http::handler list_jobs(queue::queue& jobs, const cursor_signer& cursors);

} // namespace tiktrend::gateway
