#pragma once
#include "page_fetcher.hpp"

#include <tiktrend/base/timeout.hpp>

#include <string>

namespace tiktrend::worker {

/// The page loop of one job: from the saved cursor to the last page, each page committed before the next is
/// asked for.
///
/// Ends by returning, or by throwing what the queue understands: unrecoverable_error (asking again changes
/// nothing), delayed_error (wait without spending an attempt), released_error (the worker drains), any other
/// exception (a failed attempt). A page whose commit has begun is finished whatever happens.
class pager {
public:
    /// All references must outlive run().
    pager(scrape_services& services, const scrape_order& order, queue::active_job& job,
          scrape_report& report);

    /// `caches_may_be_stale`: an earlier attempt died, perhaps between a commit and telling the caches.
    task<void> run(const catalog::run_state& from, bool caches_may_be_stale);

private:
    task<read_page> next_page(const sources::page_state& state);
    task<void> hand_on(const read_page& page);
    task<void> order_images(const catalog::scraped_page& page, const catalog::committed_page& done);
    task<void> commit(read_page page);
    task<catalog::committed_page> commit_surely(const catalog::scraped_page& page);
    task<void> save_progress();

    void stop_if_asked() const;
    std::string end_by_operator_limits() const;

    scrape_services& services_;
    const scrape_order& order_;
    queue::active_job& job_;
    scrape_report& report_;
    sources::limits limits_;
    page_fetcher fetcher_;
    steady_time deadline_;
    bool is_finished_elsewhere_ = false; ///< the ledger says that the job's effect is complete
};

} // namespace tiktrend::worker
