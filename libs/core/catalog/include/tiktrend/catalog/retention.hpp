#pragma once
#include <tiktrend/postgres/router.hpp>

#include <chrono>
#include <cstdint>

namespace tiktrend::catalog {

/// Deletes what is of use while it is young alone: pages remembered for conditional requests (page_cache)
/// that were not seen again, and attempts of jobs (scrape_runs) that ended. Products and their history are
/// not touched.
class retention {
public:
    explicit retention(postgres::router& router) : router_{router} {}

    /// What is older than `keep` as of `now_ms`, in portions, so that nobody waits behind it; at most
    /// most_portions of each table a call. How many rows went. Throws as postgres::router::query().
    task<std::int64_t> forget(std::int64_t now_ms, std::chrono::milliseconds keep);

    static constexpr int portion = 5'000;
    static constexpr int most_portions = 200;

private:
    postgres::router& router_;
};

} // namespace tiktrend::catalog
