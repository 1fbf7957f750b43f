#pragma once
#include "scrape_report.hpp"
#include "scrape_services.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/queue/worker.hpp>
#include <tiktrend/sources/page.hpp>

#include <optional>
#include <string>

namespace tiktrend::worker {

/// What to scrape, checked.
struct scrape_order {
    sources::definition_ptr source;
    sources::input_values inputs;
    catalog::run_key run;
};

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
    struct read_page {
        sources::page_result result;
        std::string url; ///< as rendered: the key of page_cache
        std::optional<catalog::cached_page> memory;
        std::int64_t found = 0;
        std::int64_t scraped_at_ms = 0;
    };
    struct answer {
        read_page page;
        std::string host; ///< as politeness knows it
        std::optional<std::chrono::milliseconds> retry_after;
    };

    task<read_page> next_page(const sources::page_state& state);
    task<std::optional<answer>> ask(const sources::request_spec& spec, const sources::page_state& state,
                                    std::string& trouble);
    task<void> commit(read_page page);
    task<catalog::committed_page> commit_surely(const catalog::scraped_page& page);
    task<void> save_progress();

    /// How the host may be asked, once robots.txt has been obeyed; throws when it may not be asked now, or at
    /// all.
    task<host_rules> rules_for(const fetch::url& where);
    task<bool> may_follow(const fetch::url& next);
    task<result<fetch::response, std::string>> send(fetch::request request, const fetch::url& where);
    sources::request_spec render(const sources::page_state& state) const;
    void stop_if_asked() const;
    [[noreturn]] void postpone(std::chrono::milliseconds after, const std::string& why) const;
    std::string end_by_operator_limits() const;

    scrape_services& services_;
    const scrape_order& order_;
    queue::active_job& job_;
    scrape_report& report_;
    sources::limits limits_;
    sources::render_context context_;
    sources::page_reader reader_;
    steady_time deadline_;
    bool is_finished_elsewhere_ = false; ///< the ledger says that the job's effect is complete
};

} // namespace tiktrend::worker
