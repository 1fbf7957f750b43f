#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/postgres/lsn.hpp>
#include <tiktrend/postgres/pool.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace tiktrend::postgres {

struct router_options {
    router_options() {}
    pool_options pool; ///< for every server; pool.connection.url is the primary's (may name several hosts)
    std::vector<std::string> replica_urls; ///< none, or the primary's own URL: the primary serves both
    std::chrono::milliseconds probe_interval{500};
    std::chrono::milliseconds probe_timeout{1000};
    std::int64_t max_lag_bytes = 16LL << 20; ///< a replica further behind gets no reads …
    std::chrono::milliseconds max_lag{2000}; ///< … nor one that lacks what the primary wrote longer ago (left
                                             ///< after this and two probes: 3 s)
    int good_probes_to_return = 3;           ///< in a row, after an ejection
    std::chrono::milliseconds consistency_wait{100}; ///< how long read_at() waits for a replica to catch up
    logger log;
};

/// How much a read has seen. The cache stores a fill only if covers(LSN of the last invalidation).
struct read_point {
    bool is_primary = true; ///< saw every commit
    lsn replayed;           ///< of a replica: saw at least everything up to this

    bool covers(lsn at) const noexcept { return is_primary || replayed >= at; }
};

/// Where a read goes.
struct read_choice {
    pool* where; ///< lives as long as the router
    read_point point;
};

struct read_result {
    rows answer;
    read_point point;
};

/// The roles of the servers behind one object: writes to the primary, reads to a replica that is not too far
/// behind (ops: lag-aware routing). Replicas are probed twice a second; an ejected one returns after three
/// good probes; with none left the primary serves the reads. Owned by one executor.
class router {
public:
    router(asio::any_io_executor executor, router_options options);
    ~router();
    router(const router&) = delete;
    router& operator=(const router&) = delete;

    void start();
    task<void> stop(std::chrono::milliseconds grace = std::chrono::seconds{5});

    pool& write() noexcept;
    /// Where the primary's log stands now: what is committed lies before. Throws as pool::query(), and
    /// errc::read_only when the server is a standby.
    task<lsn> position();
    /// The replica with the fewest leases out, or the primary. Never waits.
    read_choice read() noexcept;
    /// A server that has replayed `at_least`: a replica that has it or gets it within consistency_wait, else
    /// the primary.
    task<read_choice> read_at(lsn at_least);

    /// One SELECT on read(). An unavailable replica, or one that cancelled it because of recovery, is
    /// followed by one try on the primary. Throws as pool::query(). A write is sent to write() instead, which
    /// must not repeat it. `at_least`: on a server that read_at() gives.
    task<read_result> query(std::string_view sql, const params& values = no_params(), lsn at_least = {});

    struct replica_state {
        std::string description; ///< no password
        bool is_serving;
        lsn replayed;
        std::int64_t lag_bytes;
        std::chrono::milliseconds lag;
        std::string reason;    ///< why it does not serve; empty if it does
        bool answered = false; ///< to the last probe; if not, the lag is of the last one that it answered
    };
    /// As query() for one row: what a replica does not know yet is asked of the primary.
    task<rows> find(std::string_view sql, const params& values);

    std::vector<replica_state> replicas() const;
    /// Sums over all pools.
    std::size_t in_use() const noexcept;
    std::size_t idle() const noexcept;
    std::size_t waiting() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::postgres
