#include <tiktrend/catalog/trend_store.hpp>

namespace tiktrend::catalog {
namespace {

// Of the session: it ends with the connection.
constexpr std::string_view take_turn = "SELECT pg_try_advisory_lock(hashtextextended('trends', 0))";
constexpr std::string_view recompute =
    "SELECT recompute_trends('epoch'::timestamptz + $1::bigint * interval '1 millisecond')";
constexpr std::string_view refresh_summary = "SELECT refresh_trending_summary()";

} // namespace

trend_store::trend_store(postgres::connection_options where) : where_{std::move(where)} {
    where_.statement_timeout = limit;
    where_.response_timeout = limit + std::chrono::minutes{1};
}

task<std::int64_t> trend_store::refresh(std::int64_t now_ms) {
    postgres::connection c{co_await asio::this_coro::executor, where_};
    co_await c.connect();
    const auto turn = co_await c.query(take_turn);
    if (!turn.front()[0].boolean()) co_return -1;
    const auto values = postgres::params::of(now_ms);
    const auto done = co_await c.query(recompute, values);
    co_await c.query(refresh_summary);
    co_return done.front()[0].int64();
}

} // namespace tiktrend::catalog
