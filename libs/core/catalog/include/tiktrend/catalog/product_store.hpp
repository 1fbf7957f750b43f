#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/error.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/catalog/error.hpp>
#include <tiktrend/catalog/page_cache.hpp>
#include <tiktrend/catalog/product.hpp>
#include <tiktrend/catalog/product_query.hpp>
#include <tiktrend/catalog/scrape_run.hpp>
#include <tiktrend/postgres/lsn.hpp>
#include <tiktrend/postgres/router.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::catalog {

/// One page of a source, as the worker hands it in.
struct scraped_page {
    std::int64_t number = 1; ///< 1, 2, … over all attempts of the job: run_state::pages + 1
    std::string cursor;      ///< where the next page starts; opaque to the store
    std::vector<scraped_product> products;
    /// Products the page has, for the totals; -1: products.size(). A page answered with 304 has its cached
    /// number and no products.
    std::int64_t found = -1;
    std::optional<cached_page> cache; ///< stored in the same transaction
    std::string next_url; ///< what is remembered of this page comes back with the answer; empty: nothing
};

struct changed_product {
    std::int64_t id;
    std::string source;
    std::string external_id;
    bool is_new;
    bool needs_image = false; ///< it has an image of which there is no copy of ours
};

struct committed_page {
    std::vector<changed_product> changed;   ///< exactly what caches must forget
    run_state totals;                       ///< after this page
    postgres::lsn lsn;                      ///< read after the commit: a read at or after it sees the page
    std::optional<cached_page> next_cached; ///< of scraped_page::next_url; not in a replay
    /// The ledger shows that this page was committed before (its answer was lost on the way): nothing was
    /// written now. `changed` is empty although caches may not know yet; drop what the source has cached.
    bool is_replay = false;
};

/// What one read gave and how much it had seen (for the cache's LSN gate).
template <class T>
struct seen {
    T value;
    postgres::read_point point;
};

struct product_list {
    std::vector<product> items;
    std::optional<keyset> next; ///< empty: the last page
};

struct history_point {
    std::int64_t scraped_at_ms = 0;
    std::optional<std::string> price_min, price_max, currency;
    std::optional<std::int64_t> sales_7d, sales_total;
    std::optional<double> rating;
    std::optional<std::int64_t> review_count;
    std::optional<double> trend_score;
};

struct category_entry {
    std::int64_t id;
    std::string name;
};

struct product_store_options {
    product_store_options() {}
    /// An unchanged product is skipped, but once it was written longer ago than this its scraped_at is moved.
    /// Zero: always (a row update each time); the price of waiting is that within it an older scrape that
    /// arrives late can win over a newer one that found nothing new.
    std::chrono::milliseconds touch_unchanged_after{std::chrono::hours{1}};
    int max_attempts = 5; ///< tries of one transaction after 40001 or 40P01
    logger log;
};

/// Products, their history and the ledger of scrape runs. Owned by one executor; the router must outlive it.
/// Throws postgres::errc for unavailability.
class product_store {
public:
    explicit product_store(postgres::router& router, product_store_options options = product_store_options{});
    ~product_store();

    /// Registers the attempt and returns where the job stands, so that an interrupted job goes on at the
    /// saved cursor. Fences older attempts. Asking again for the same attempt is fine. If the job already
    /// succeeded, status says so and nothing is registered: report its totals. errc::fenced if a newer
    /// attempt is registered.
    task<result<run_state>> start_run(const run_key& key, const std::string& source);

    /// Where a job stands, without taking it. Empty: no attempt ever registered.
    task<std::optional<run_state>> resume(const std::string& job_id, std::int64_t job_timestamp_ms);

    /// One transaction: fence, upsert (ordered, deduplicated with the newest winning, monotonic on
    /// scraped_at, unchanged skipped), history, page cache, ledger; then the LSN. One round trip, two while
    /// pages turn out to be mostly known. All or nothing; a deadlock or serialization failure is tried again
    /// as a whole. errc::fenced, errc::already_finished: nothing was written. After
    /// postgres::errc::connection_lost or timed_out hand the same page in again: see
    /// committed_page::is_replay.
    /// A page without a product to write is not waited for on the server's disk: should the server die in the
    /// next moment, the job's cursor goes back to where the disk has it. `on_sent`: called when the
    /// transaction is on its way and will happen even if this process dies; again with another try. Must not
    /// throw.
    task<result<committed_page>> commit_page(const run_key& key, const scraped_page& page,
                                             std::function<void()> on_sent = {});

    /// Ends the attempt. `succeeded` closes the job for every later attempt. Asking again with the same
    /// status is fine.
    task<result<run_state>> finish_run(const run_key& key, run_status status, const std::string& error = {});

    // Reads go to a replica that is not too far behind, or the primary. `at_least`: to one that has replayed
    // this position (read your writes, ops 5.1).
    task<seen<product_list>> list(const product_query& query, postgres::lsn at_least = {});
    task<seen<std::optional<product>>> get(std::int64_t id, postgres::lsn at_least = {});
    /// Newest first, at most `limit`; those before `before_ms` if given. Empty also for an unknown product.
    task<seen<std::vector<history_point>>> history(std::int64_t id, int limit = 365,
                                                   std::optional<std::int64_t> before_ms = {},
                                                   postgres::lsn at_least = {});
    task<seen<std::vector<category_entry>>> categories();

    /// Creates the partitions of product_history for the current month and `months_ahead` more. Safe to run
    /// at any time by anybody; commit_page calls for the month it needs by itself.
    task<void> ensure_partitions(int months_ahead = 3);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::catalog
