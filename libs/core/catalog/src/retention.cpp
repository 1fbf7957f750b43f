#include <tiktrend/catalog/retention.hpp>

#include <array>
#include <string_view>

namespace tiktrend::catalog {
namespace {

// An attempt that runs is nobody's to delete, however old: its job may be waiting.
constexpr std::array<std::string_view, 2> portions{
    R"(
WITH old AS (SELECT ctid FROM page_cache
             WHERE fetched_at < 'epoch'::timestamptz + $1::bigint * interval '1 millisecond' LIMIT $2::integer)
DELETE FROM page_cache WHERE ctid IN (SELECT ctid FROM old) RETURNING 1)",
    R"(
WITH old AS (SELECT ctid FROM scrape_runs
             WHERE status <> 'running' AND updated_at < 'epoch'::timestamptz + $1::bigint * interval '1 millisecond'
             LIMIT $2::integer)
DELETE FROM scrape_runs WHERE ctid IN (SELECT ctid FROM old) RETURNING 1)"};

} // namespace

task<std::int64_t> retention::forget(std::int64_t now_ms, std::chrono::milliseconds keep) {
    const auto values = postgres::params::of(now_ms - keep.count(), std::int64_t{portion});
    std::int64_t gone = 0;
    for (const auto statement : portions)
        for (int i = 0; i < most_portions; ++i) {
            const auto deleted = co_await router_.write().query(statement, values);
            gone += static_cast<std::int64_t>(deleted.size());
            if (deleted.size() < std::size_t{portion}) break;
        }
    co_return gone;
}

} // namespace tiktrend::catalog
