#pragma once
#include "page_fetcher.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>

#include <exception>
#include <optional>
#include <string>

namespace tiktrend::worker {

/// The page loop of one job: from the saved cursor to the last page.
///
/// A page is asked for once the transaction of the one before is on its way to the database, which carries it
/// out even if this process dies then: a worker that is killed asks for one page again at most. It is looked
/// at when that transaction has been answered. Progress is told beside all that; the latest wins.
///
/// Ends by returning, or by throwing what the queue understands: unrecoverable_error (asking again changes
/// nothing), delayed_error (wait without spending an attempt), released_error (the worker drains), any other
/// exception (a failed attempt). A page whose commit has begun is finished whatever happens.
class pager {
public:
    /// All references must outlive run(), which runs on `executor`.
    pager(asio::any_io_executor executor, scrape_services& services, page_room& room,
          const scrape_order& order, queue::active_job& job, scrape_report& report);

    /// `caches_may_be_stale`: an earlier attempt died, perhaps between a commit and telling the caches.
    task<void> run(const catalog::run_state& from, bool caches_may_be_stale);

private:
    task<void> walk(const catalog::run_state& from);
    task<void> walk_from(sources::page_state state);
    task<read_page> next_page(const sources::page_state& state);
    task<void> keep_sample(std::string sample);
    task<void> hand_on(const read_page& page);
    task<void> order_images(const catalog::scraped_page& page, const catalog::committed_page& done);
    /// `number`: of `page`, as its state counts. `next` may be asked for meanwhile; then little more than its
    /// own number is left of it.
    task<void> commit(read_page page, std::int64_t number, std::optional<sources::page_state>& next);
    task<catalog::committed_page> commit_surely(const catalog::scraped_page& page);
    bool may_ask_ahead(const read_page& page) const; ///< if there is a next one
    void start_ahead();
    task<void> ask_ahead();
    task<read_page> take_ahead();
    void save_progress();
    task<void> tell_progress();
    /// Ends what runs beside the loop; `is_good`: the progress arrives first.
    task<void> end_company(bool is_good);

    void stop_if_asked() const;
    std::string end_by_operator_limits(std::int64_t pages, std::int64_t products) const;

    scrape_services& services_;
    const scrape_order& order_;
    queue::active_job& job_;
    scrape_report& report_;
    sources::limits limits_;
    page_fetcher fetcher_;
    steady_time deadline_;
    bool is_finished_elsewhere_ = false; ///< the ledger says that the job's effect is complete

    sources::page_state* next_ahead_ =
        nullptr;            ///< to be asked for when the present transaction is on its way
    bool is_ahead_ = false; ///< it was asked for: the page or the error will be there
    std::optional<read_page> page_ahead_;
    std::exception_ptr error_ahead_;
    bool is_progress_new_ = false;
    std::exception_ptr progress_error_;
    task_group ahead_;
    task_group progress_;
};

} // namespace tiktrend::worker
