#include "metrics.hpp"

namespace tiktrend::worker {
namespace {

/// Seconds; a scrape takes from a blink to many minutes.
const std::vector<double> job_buckets{0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800};

} // namespace

std::string_view name_of(queue::worker_options::outcome::kind k) noexcept {
    using kind = queue::worker_options::outcome::kind;
    switch (k) {
    case kind::completed:
        return "completed";
    case kind::failed:
        return "failed";
    case kind::retried:
        return "retried";
    case kind::delayed:
        return "delayed";
    case kind::released:
        return "released";
    case kind::waiting_children:
        return "waiting_children";
    case kind::lost:
        return "lost";
    }
    return "unknown";
}

worker_metrics::worker_metrics(observe::registry& r, std::string queue,
                               std::set<std::string, std::less<>> job_names, std::size_t concurrency)
    : queue_{std::move(queue)}, job_names_{std::move(job_names)},
      job_duration_{r.histograms("bullmq_job_duration_seconds",
                                 "Time from taking a job to its end, by how it ended.",
                                 {"queue", "name", "result"}, job_buckets)},
      pages_{r.counters("scrape_pages_total", "Answers of shops by what they meant.", {"source", "outcome"})},
      found_{r.counters("scrape_products_found_total", "Products on committed pages.", {"source"})},
      changed_{
          r.counters("scrape_products_changed_total", "Products that a page added or changed.", {"source"})},
      rows_{r.counters("scrape_rows_total", "Rows of pages by whether they made a product.",
                       {"source", "result"})},
      fields_{r.counters("scrape_fields_total",
                         "Fields of rows by how they were found: by the first way, a later one, or not.",
                         {"source", "field", "result"})},
      drift_{r.gauges("scrape_field_drift",
                      "How far a field's share lies below its usual one; 0: it does not.",
                      {"source", "field", "measure"})},
      images_{r.counters("images_total", "Product images by what came of mirroring them.", {"result"})},
      robots_{r.counters("robots_fetches_total", "Fetches of robots.txt by what came of them.", {"result"})},
      spot_notices_{r.counters("worker_spot_notices_total",
                               "Notices that this machine is taken away, or may be (rebalance).", {"kind"})} {
    const auto of_queue = [&](std::string_view name, std::string_view help) {
        return r.counters(name, help, {"queue"})(queue_);
    };
    completed_ = of_queue("worker_jobs_completed_total", "Jobs completed by this worker.");
    failed_ = of_queue("worker_jobs_failed_total", "Jobs failed for good by this worker.");
    retried_ = of_queue("bullmq_jobs_retried_total", "Failed attempts that another one follows.");
    delayed_ = of_queue("bullmq_jobs_postponed_total", "Jobs put off without spending an attempt.");
    released_ = of_queue("bullmq_jobs_released_total", "Jobs given back because this worker drains.");
    stalled_ = of_queue("bullmq_jobs_stalled_total", "Jobs that this worker's check found without a lock.");
    lost_ = of_queue("bullmq_jobs_lost_total", "Jobs whose lock went to somebody else while they ran here.");
    draining_ = r.make_gauge("worker_draining", "1 once the worker takes no more jobs.");
    active_ = r.make_gauge("worker_active_jobs", "Jobs running here.");
    concurrency_ = r.make_gauge("worker_concurrency", "Jobs that may run here at once.");
    trend_changes_ = r.make_counter("trend_changes_total", "Products whose trend a refresh here changed.");
    trends_refreshed_at_ =
        r.make_gauge("trends_refreshed_timestamp_seconds", "When a refresh of the trends last ended here.");
    invalidation_failures_ = r.make_counter("cache_invalidation_failures_total",
                                            "Times the cache could not be told of a change at once.");
    politeness_fallbacks_ = r.make_counter("politeness_fallbacks_total",
                                           "Times a host was asked under the rule of this process alone.");
    draining_.set(0);
    concurrency_.set(static_cast<double>(concurrency));

    const auto follow = [&](std::string_view name, std::string_view help) {
        return mirrored{r.make_counter(name, help)};
    };
    fetch_requests_ = follow("fetch_requests_total", "HTTP requests sent or tried, redirects included.");
    fetch_responses_ = follow("fetch_responses_total", "Fetches that gave a response, whatever its status.");
    fetch_redirects_ = follow("fetch_redirects_total", "Redirects followed.");
    fetch_received_ = follow("fetch_received_bytes_total", "Response bodies as transferred.");
    fetch_decoded_ = follow("fetch_decoded_bytes_total", "Response bodies after decompression.");
    fetch_connections_ = follow("fetch_connections_total", "Connections opened.");
    fetch_suspicious_ = follow("fetch_suspicious_ratio_total", "Bodies that grew more than 200-fold.");
    auto& failures = r.counters("fetch_failures_total", "Fetches without a response, by reason.", {"reason"});
    for (std::size_t i = 0; i < fetch::failure_kinds; ++i)
        fetch_failures_[i].counter = failures(fetch::to_string(static_cast<fetch::failure_kind>(i)));
    fetch_in_flight_ = r.make_gauge("fetch_in_flight", "Transfers now.");
    fetch_waiting_ = r.make_gauge("fetch_waiting", "Fetches that wait for a free slot.");
    auto& pool = r.gauges("db_pool_connections", "Database connections by state.", {"state"});
    pool_in_use_ = pool("in_use");
    pool_idle_ = pool("idle");
    pool_waiting_ = pool("waiting");
}

void worker_metrics::job_ended(const queue::worker_options::outcome& o) {
    using kind = queue::worker_options::outcome::kind;
    const std::string_view name = job_names_.contains(o.job.name) ? std::string_view{o.job.name} : "unknown";
    job_duration_(queue_, name, name_of(o.what)).observe(o.elapsed);
    switch (o.what) {
    case kind::completed:
        completed_.add();
        break;
    case kind::failed:
        failed_.add();
        break;
    case kind::retried:
        retried_.add();
        break;
    case kind::delayed:
        delayed_.add();
        break;
    case kind::released:
        released_.add();
        break;
    case kind::waiting_children: // only its next run ends
        break;
    case kind::lost:
        lost_.add();
        break;
    }
}

void worker_metrics::stalled(std::size_t n) {
    stalled_.add(static_cast<double>(n));
}

void worker_metrics::page(std::string_view source, std::string_view outcome) {
    pages_(source, outcome).add();
}

void worker_metrics::products(std::string_view source, std::int64_t found, std::int64_t changed) {
    found_(source).add(static_cast<double>(found));
    changed_(source).add(static_cast<double>(changed));
}

void worker_metrics::report(const scrape_report& r) {
    const auto count = [](auto series, std::int64_t n) {
        if (n > 0) series.add(static_cast<double>(n));
    };
    count(rows_(r.source, "valid"), r.rows - r.invalid_rows);
    count(rows_(r.source, "invalid"), r.invalid_rows);
    for (const auto& [name, f] : r.fields) {
        const auto found = r.rows - f.missing - f.rejected;
        const auto first = f.won.size() > 1 ? f.won.front() : found;
        count(fields_(r.source, name, "first"), first);
        count(fields_(r.source, name, "later"), found - first);
        count(fields_(r.source, name, "missing"), f.missing);
        count(fields_(r.source, name, "rejected"), f.rejected);
    }
    for (const auto& d : r.drift) {
        const bool drifts = d.since_ms != 0;
        std::tuple series{r.source, d.field, d.measure};
        if (!drifts && drifting_.erase(series) == 0) continue;
        drift_(r.source, d.field, d.measure).set(drifts ? d.usual - d.latest : 0);
        if (drifts) drifting_.insert(std::move(series));
    }
}

void worker_metrics::image(std::string_view result, std::int64_t n) {
    images_(result).add(static_cast<double>(n));
}

void worker_metrics::trends_refreshed(std::int64_t changed, double at_seconds) {
    trend_changes_.add(static_cast<double>(changed));
    trends_refreshed_at_.set(at_seconds);
}

void worker_metrics::invalidation_failed() {
    invalidation_failures_.add();
}

void worker_metrics::politeness_not_shared() {
    politeness_fallbacks_.add();
}

void worker_metrics::robots_fetched(std::string_view result) {
    robots_(result).add();
}

void worker_metrics::spot_notice(std::string_view kind) {
    spot_notices_(kind).add();
}

void worker_metrics::draining() {
    draining_.set(1);
}

void worker_metrics::mirrored::follow(std::uint64_t total) {
    counter.add(static_cast<double>(total - seen));
    seen = total;
}

void worker_metrics::refresh(const queue::worker& jobs, const fetch::client& fetcher,
                             const postgres::router& database) {
    active_.set(static_cast<double>(jobs.active()));
    const auto s = fetcher.stats();
    fetch_requests_.follow(s.requests);
    fetch_responses_.follow(s.responses);
    fetch_redirects_.follow(s.redirects);
    fetch_received_.follow(s.bytes_received);
    fetch_decoded_.follow(s.bytes_decoded);
    fetch_connections_.follow(s.connections);
    fetch_suspicious_.follow(s.suspicious_ratios);
    for (std::size_t i = 0; i < fetch::failure_kinds; ++i)
        fetch_failures_[i].follow(s.failures[i]);
    fetch_in_flight_.set(static_cast<double>(s.in_flight));
    fetch_waiting_.set(static_cast<double>(s.waiting));
    pool_in_use_.set(static_cast<double>(database.in_use()));
    pool_idle_.set(static_cast<double>(database.idle()));
    pool_waiting_.set(static_cast<double>(database.waiting()));
}

} // namespace tiktrend::worker
