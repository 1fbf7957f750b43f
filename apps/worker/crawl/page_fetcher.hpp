#pragma once
#include "page_room.hpp"
#include "politeness.hpp"
#include "scrape_order.hpp"
#include "scrape_report.hpp"
#include "scrape_services.hpp"

#include <tiktrend/queue/worker.hpp>
#include <tiktrend/sources/page.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::worker {

/// A page as it was read.
struct read_page {
    sources::page_result result;
    std::string url; ///< as rendered, without secrets: the key of page_cache
    std::optional<catalog::cached_page> memory;
    std::int64_t found = 0;
    std::int64_t scraped_at_ms = 0;
    page_room::place place; ///< until it is stored
};

struct page_answer {
    read_page page;
    std::string host; ///< that answered, as politeness knows it
    std::optional<std::chrono::milliseconds> retry_after;
    std::string sample; ///< how an answer begins that ends the job; else empty
};

/// "what: message", or `what` alone.
std::string failure_text(std::string_view what, const std::string& message);

/// Asks for single pages of one job: the request by the definition, the host's rules and robots.txt, what is
/// remembered of the page, cookies and proxy of the job, and what the answer means. Tries once; the pager
/// decides about more.
class page_fetcher {
public:
    /// All references must outlive the calls.
    page_fetcher(scrape_services& services, page_room& room, const scrape_order& order,
                 const queue::active_job& job, scrape_report& report, const sources::limits& limits);

    /// One request and what its answer means. Nothing: no response, and `trouble` says why; another try may
    /// help. Throws what pager::run() says.
    task<std::optional<page_answer>> ask(const sources::page_state& state, std::string& trouble);

    /// The URL of that page if what is remembered of it is going to be asked for; empty otherwise, and when
    /// it cannot be made.
    std::string conditional_url(const sources::page_state& state) const;
    /// What is remembered of a page, known before ask() would look it up. Good for one ask() for that page.
    void known_ahead(std::string url, std::optional<catalog::cached_page> memory);

private:
    task<std::optional<catalog::cached_page>> memory_of(const std::string& url);
    /// How the host may be asked, once robots.txt has been obeyed; throws when it may not be asked now, or at
    /// all.
    task<host_rules> rules_for(const fetch::url& where, const std::string& proxy);
    /// The host that may be asked at present, and the leave to.
    struct turn {
        std::string host;
        std::string proxy; ///< by which it is asked; empty: none
        std::optional<host_permit> permit;
    };
    task<void> take_turn(turn& t, const fetch::url& where);
    task<bool> may_follow(turn& t, const fetch::url& next);
    task<result<fetch::response, std::string>> send(fetch::request request, const fetch::url& where,
                                                    std::string& host);
    std::string sample_of(const sources::page_state& state, const fetch::response& response) const;
    sources::request_spec render(const sources::page_state& state) const;
    std::string proxy() const;
    [[noreturn]] void put_off(std::chrono::milliseconds after, const std::string& why) const;

    scrape_services& services_;
    page_room& room_;
    const scrape_order& order_;
    const queue::active_job& job_;
    scrape_report& report_;
    const sources::limits& limits_;
    sources::render_context context_;
    std::vector<std::string> secrets_; ///< of context_, in every form that must not be told
    std::map<std::string, std::optional<catalog::cached_page>> ahead_; ///< by URL; at most two
    std::shared_ptr<fetch::cookie_jar> cookies_;                       ///< null unless the source asks for it
};

} // namespace tiktrend::worker
