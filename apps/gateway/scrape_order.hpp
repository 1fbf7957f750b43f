#pragma once
#include "json_body.hpp"
#include "middleware/principal.hpp"
#include "quota_book.hpp"

#include <tiktrend/queue/queue.hpp>
#include <tiktrend/sources/registry.hpp>

#include <string>
#include <string_view>

namespace tiktrend::gateway {

/// What somebody wants scraped: {source, filters?, priority?, attempts?, backoff?, delay?}, checked.
struct scrape_order {
    sources::definition_ptr source;
    std::string filters; ///< canonical JSON
    queue::job_options options;
};

/// Reads the members of an order from `body`, which collects the mistakes; the caller ends with
/// body.finish() or take_errors(). The order is whole only if there were none. `with_delay`: false where
/// something else says when (schedules).
scrape_order read_scrape_order(json_object_reader& body, const sources::registry& definitions,
                               const queue::job_options& defaults, bool with_delay = true);

/// 422 `source_retired`; call it only for a retired source.
http::problem retired_source(const sources::definition& source);

/// The job's data: {"source","filters","request_id","owner"}.
std::string scrape_job_data(const scrape_order& order, const principal& owner, std::string_view request_id);

/// The member of a job's data that says whose it is, as scrape_job_data() writes it.
std::string owner_member(const principal& owner);

/// The caller's trace goes on in the job (layout 4.17), so that the worker's spans link to the request.
void carry_trace(const http::request& r, queue::job_options& options);

/// The job of an order, as workers know it.
queue::new_job scrape_job(scrape_order order, const principal& owner, std::string_view request_id);

/// True if no job can have come of what failed with `e`: nothing was sent, or it was refused or rolled back.
/// False for cancellation (HTTP_HANDLER_TIMEOUT), since it may come after the sending.
bool is_certainly_not_done(const error_code& e) noexcept;

/// Gives `n` charged uses back if what failed with `e` was certainly not done. A lost reply leaves both open;
/// then the charge stays, as giving it back could let a user have more than the quota.
void give_back_unless_done(quota_book& quotas, catalog::usage_key charge, const error_code& e,
                           std::int64_t n = 1);

} // namespace tiktrend::gateway
