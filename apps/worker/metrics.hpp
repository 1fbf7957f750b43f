#pragma once
#include "crawl/scrape_report.hpp"

#include <tiktrend/fetch/client.hpp>
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/postgres/router.hpp>
#include <tiktrend/queue/worker.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

namespace tiktrend::worker {

/// "completed", "failed", "retried", "delayed", "released", "lost": label values and log words.
std::string_view name_of(queue::worker_options::outcome::kind k) noexcept;

/// The numbers of this process (docs/metrics.md). Counters count what happens here; nothing is read from
/// Redis.
class worker_metrics {
public:
    /// `job_names` are those that may become a label; any other name is "unknown".
    worker_metrics(observe::registry& registry, std::string queue,
                   std::set<std::string, std::less<>> job_names, std::size_t concurrency);

    void job_ended(const queue::worker_options::outcome& o);
    void stalled(std::size_t n);
    void page(std::string_view source, std::string_view outcome);
    void products(std::string_view source, std::int64_t found, std::int64_t changed);
    /// A finished job's rows and fields, and those that drift.
    void report(const scrape_report& r);
    void image(std::string_view result, std::int64_t n = 1); ///< "mirrored", "present", "refused", "failed"
    void trends_refreshed(std::int64_t changed, double at_seconds);
    void invalidation_failed();
    void politeness_not_shared();
    void robots_fetched(std::string_view result);
    void draining();
    void spot_notice(std::string_view kind); ///< "leave" or "rebalance"

    /// Takes over what others count; for registry::on_collect().
    void refresh(const queue::worker& jobs, const fetch::client& fetcher, const postgres::router& database);

private:
    /// Moves a counter to a total that something else keeps.
    struct mirrored {
        observe::counter counter;
        std::uint64_t seen = 0;
        void follow(std::uint64_t total);
    };

    std::string queue_;
    std::set<std::string, std::less<>> job_names_;
    observe::label_cache<observe::histogram, 3> job_duration_;
    observe::counter completed_, failed_, stalled_, released_, retried_, delayed_, lost_;
    observe::gauge draining_, active_, concurrency_;
    observe::label_cache<observe::counter, 2> pages_;
    observe::label_cache<observe::counter, 1> found_, changed_;
    observe::label_cache<observe::counter, 2> rows_;
    observe::label_cache<observe::counter, 3> fields_;
    observe::label_cache<observe::gauge, 3> drift_;
    std::set<std::tuple<std::string, std::string, std::string>> drifting_; ///< series that are not 0
    observe::label_cache<observe::counter, 1> images_;
    observe::counter trend_changes_;
    observe::gauge trends_refreshed_at_;
    observe::counter invalidation_failures_, politeness_fallbacks_;
    observe::label_cache<observe::counter, 1> robots_, spot_notices_;
    mirrored fetch_requests_, fetch_responses_, fetch_redirects_, fetch_received_, fetch_decoded_,
        fetch_connections_, fetch_suspicious_;
    std::array<mirrored, fetch::failure_kinds> fetch_failures_;
    observe::gauge fetch_in_flight_, fetch_waiting_;
    observe::gauge pool_in_use_, pool_idle_, pool_waiting_;
};

} // namespace tiktrend::worker
