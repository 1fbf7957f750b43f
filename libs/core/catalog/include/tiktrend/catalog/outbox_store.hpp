#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/postgres/router.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace tiktrend::catalog {

/// A job as the outbox keeps it.
struct outbox_job {
    std::string job_id;
    std::string name;
    std::string data;    ///< JSON text
    std::string options; ///< opaque to the store
};

/// Jobs that were accepted and are not known to have ended (table job_outbox). Any number of gateways work on
/// it at once: a row that one took is left alone by the others until its time is up. Throws as pool::query();
/// owned by one executor, the router must outlive it.
class outbox_store {
public:
    /// `queue` is "<prefix>:<name>".
    outbox_store(postgres::router& router, std::string queue) : router_{router}, queue_{std::move(queue)} {}

    /// Writes the jobs, all or none, taken by the caller for `lease`. Those whose id is there already are
    /// left as they are.
    task<void> insert(std::vector<outbox_job> jobs, std::chrono::milliseconds lease);

    struct claimed : outbox_job {
        bool was_relayed = false;         ///< the queue had it once
        bool has_succeeded = false;       ///< as the ledger of scrape runs says
        std::int64_t failed_attempts = 0; ///< as the ledger says
    };
    /// Takes up to `most` jobs that are due, for `lease`, oldest first.
    task<std::vector<claimed>> claim(std::size_t most, std::chrono::milliseconds lease);

    /// Rows that nobody can remove as long as this lives. Ends with end(); else its connection is dropped.
    class hold {
    public:
        const std::vector<std::string>& job_ids() const noexcept { return job_ids_; }
        task<void> end();

    private:
        friend class outbox_store;
        hold(postgres::lease connection, std::vector<std::string> job_ids)
            : connection_{std::move(connection)}, job_ids_{std::move(job_ids)} {}
        postgres::lease connection_;
        std::vector<std::string> job_ids_;
    };
    /// Holds those of the jobs that are still wanted, so that what is added under it cannot be forgotten in
    /// between: remove() waits until it ends. Keep it short (the server ends it after
    /// connection_options::idle_transaction_timeout).
    task<hold> hold_wanted(std::vector<std::string> job_ids);

    /// The queue has these; look again after `again` at the earliest, the later the older they are (half of
    /// their age, 10 minutes at most).
    task<void> mark_relayed(std::vector<std::string> job_ids, std::chrono::milliseconds again);
    /// Not taken any more.
    task<void> release(std::vector<std::string> job_ids);
    /// They have ended, or are not wanted any more. Waits for a hold on them.
    task<void> remove(std::vector<std::string> job_ids);
    /// Everything is due: the queue may have lost what it had.
    task<void> make_all_due();

    struct backlog {
        std::int64_t waiting = 0; ///< not known to be in the queue
        double oldest_seconds = 0;
    };
    task<backlog> measure();

private:
    postgres::router& router_;
    std::string queue_;
};

} // namespace tiktrend::catalog
