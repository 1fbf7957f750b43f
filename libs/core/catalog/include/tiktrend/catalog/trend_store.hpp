#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/postgres/connection.hpp>

#include <chrono>
#include <cstdint>

namespace tiktrend::catalog {

/// Trends of products and their summary (migration 012 has the rules). Any number of coroutines may share
/// one.
class trend_store {
public:
    /// Longest time of either step.
    static constexpr std::chrono::minutes limit{10};

    /// `where` is the primary. Each refresh has a connection of its own, since it may take minutes, which
    /// those of a pool may not.
    explicit trend_store(postgres::connection_options where);

    /// Recomputes scores as of `now_ms` and refreshes trending_products_summary; readers read on meanwhile.
    /// Products whose trend changed; -1: somebody else is at it, nothing was done. Throws as
    /// connection::query().
    task<std::int64_t> refresh(std::int64_t now_ms);

private:
    postgres::connection_options where_;
};

} // namespace tiktrend::catalog
