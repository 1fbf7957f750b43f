#pragma once
#include <tiktrend/queue/queue.hpp>

#include <map>
#include <span>

namespace tiktrend::queue {

/// A connection as CLIENT LIST tells it: every field by its name, with what a dashboard shows first.
struct client_info {
    std::string name;     ///< the worker's own; empty: it has none
    std::string raw_name; ///< as the connection says it
    std::string address;  ///< addr
    std::int64_t age_s = 0;
    std::int64_t idle_s = 0;
    std::map<std::string, std::string, std::less<>> fields;
};

/// Jobs that finished per minute, newest first (BullMQ's getMetrics). Only where a worker collects them.
struct queue_metrics {
    std::int64_t count = 0; ///< ever
    std::int64_t previous_ts_ms = 0;
    std::int64_t previous_count = 0;
    std::vector<std::int64_t> data; ///< the page asked for
    std::int64_t points = 0;        ///< data points there are
};

/// Children of a job by what became of them. Keys are full job keys, "<prefix>:<queue>:<id>".
struct dependency_counts {
    std::int64_t processed = 0, unprocessed = 0, ignored = 0, failed = 0;
};

/// One page of a job's children. Begin with cursor 0; a next_cursor of 0 means the end. As with every Redis
/// scan, a page may hold more or fewer than asked for, and a small set comes as one page.
struct dependency_page {
    std::vector<std::pair<std::string, std::string>> values; ///< processed: key, JSON; ignored: key, reason
    std::vector<std::string> keys;                           ///< unprocessed, failed
    std::uint64_t next_cursor = 0;
};
enum class dependency_kind { processed, unprocessed, ignored, failed };

/// What can be asked about a queue besides single jobs (queue.hpp). Nothing here writes. A light view: the
/// queue must outlive every call. Errors as for queue; an argument out of range throws input_error.
class queue_getters {
public:
    explicit queue_getters(queue& q) noexcept : queue_{&q} {}

    /// Jobs per state, only those asked for; empty: all.
    task<std::map<job_state, std::int64_t>> counts(std::vector<job_state> states = {});
    /// Jobs that still wait for something: waiting, delayed, prioritized, waiting for children.
    task<std::int64_t> count();
    /// Waiting jobs per priority, 0 … 2097151 each.
    task<std::map<std::int32_t, std::int64_t>> counts_per_priority(std::vector<std::int32_t> priorities);
    /// Delayed jobs; with a time only those that are due before it.
    task<std::int64_t> delayed_count(std::optional<std::int64_t> before_ms = {});

    /// The jobs at positions `start` … `end` (inclusive, negative: from the end) of each state in turn,
    /// oldest first if ascending. Ids without a job are skipped, and the page is filled with what comes after
    /// it.
    task<std::vector<job_record>> jobs(std::vector<job_state> states, std::int64_t start = 0,
                                       std::int64_t end = -1, bool ascending = false);
    /// Rows of a job's log, newest first unless ascending.
    task<job_logs> logs(std::string id, std::int64_t start = 0, std::int64_t end = -1, bool ascending = true);

    task<dependency_counts> dependencies_count(std::string id);
    task<dependency_page> dependencies(std::string id, dependency_kind kind, std::uint64_t cursor = 0,
                                       std::int64_t count = 20);
    /// Return values (JSON) of the children that completed.
    task<std::map<std::string, std::string>> children_values(std::string id);
    /// Reasons of the children whose failure was ignored.
    task<std::map<std::string, std::string>> ignored_children_failures(std::string id);
    /// Children that failed and take their parent with them.
    task<std::vector<std::string>> failed_children(std::string id);

    /// Connections of workers and of event listeners, by name (CLIENT LIST). Empty where the server does not
    /// tell, as some managed services.
    task<std::vector<client_info>> workers();
    task<std::size_t> workers_count();
    task<std::vector<client_info>> event_listeners();

    /// `state`: completed or failed. Positions `start` … `end` of the data points.
    task<queue_metrics> metrics(job_state state, std::int64_t start = 0, std::int64_t end = -1);
    /// bullmq_job_count, bullmq_job_completed_total, bullmq_job_failed_total in Prometheus' text form, each
    /// with `labels` besides queue and state.
    task<std::string> export_prometheus_metrics(std::map<std::string, std::string> labels = {});

    /// The job that owns a deduplication id now.
    task<std::optional<std::string>> deduplication_job_id(std::string deduplication_id);

private:
    queue* queue_;
};

} // namespace tiktrend::queue
