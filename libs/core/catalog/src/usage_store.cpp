#include <tiktrend/catalog/usage_store.hpp>

namespace tiktrend::catalog {
namespace {

constexpr std::string_view take_some =
    "SELECT granted, used_today, limit_today FROM usage_take($1::bigint, $2::text, "
    "date '1970-01-01' + $3::integer, $4::bigint, $5::bigint)";
constexpr std::string_view return_some =
    "SELECT usage_give_back($1::bigint, $2::text, date '1970-01-01' + $3::integer, $4::bigint)";
constexpr std::string_view read_one =
    "SELECT coalesce((SELECT used FROM usage WHERE user_id = $1::bigint AND kind = $2::text "
    "AND day = date '1970-01-01' + $3::integer), 0), "
    "coalesce((SELECT daily_limit FROM quotas WHERE user_id = $1::bigint AND kind = $2::text), $4::bigint)";
constexpr std::string_view sum_day =
    "SELECT kind, sum(used)::bigint FROM usage WHERE day = date '1970-01-01' + $1::integer GROUP BY kind";
constexpr std::string_view put_limit =
    "INSERT INTO quotas (user_id, kind, daily_limit) VALUES ($1::bigint, $2::text, $3::bigint) "
    "ON CONFLICT (user_id, kind) DO UPDATE SET daily_limit = EXCLUDED.daily_limit";
constexpr std::string_view drop_limit = "DELETE FROM quotas WHERE user_id = $1::bigint AND kind = $2::text";
constexpr std::string_view current_lsn = "SELECT pg_current_wal_insert_lsn()::text";

std::uint64_t lsn_of(const postgres::rows& answer) {
    const auto at = postgres::lsn::parse(answer.front()[0].text());
    return at ? at->value : 0;
}

} // namespace

std::string_view to_string(usage_kind k) noexcept {
    return k == usage_kind::scrapes ? "scrapes" : "copies";
}

std::optional<usage_kind> parse_usage_kind(std::string_view name) noexcept {
    for (const auto k : usage_kinds)
        if (to_string(k) == name) return k;
    return std::nullopt;
}

task<usage_store::taken> usage_store::take(usage_key key, std::int64_t wanted,
                                           std::optional<std::int64_t> standard) {
    postgres::batch statements;
    statements.add(take_some,
                   postgres::params::of(key.user_id, to_string(key.kind), key.day, wanted, standard));
    // An LSN read before the commit may lie inside the commit record.
    statements.sync().add(current_lsn);
    const auto answers = co_await router_.write().run(statements);
    const auto r = answers.at(0).front();
    taken out;
    out.granted = r[0].int64();
    out.state.used = r[1].int64();
    out.state.limit = r[2].optional_int64();
    out.lsn = lsn_of(answers.at(1));
    co_return out;
}

task<std::uint64_t> usage_store::give_back(usage_key key, std::int64_t n) {
    postgres::batch statements;
    statements.add(return_some, postgres::params::of(key.user_id, to_string(key.kind), key.day, n));
    statements.sync().add(current_lsn);
    const auto answers = co_await router_.write().run(statements);
    co_return lsn_of(answers.at(1));
}

task<std::pair<usage_state, std::uint64_t>> usage_store::read(usage_key key,
                                                              std::optional<std::int64_t> standard) {
    postgres::batch statements;
    statements.add(current_lsn).sync();
    statements.add(read_one, postgres::params::of(key.user_id, to_string(key.kind), key.day, standard));
    const auto answers = co_await router_.write().run(statements);
    const auto r = answers.at(1).front();
    usage_state out;
    out.used = r[0].int64();
    out.limit = r[1].optional_int64();
    co_return std::pair{out, lsn_of(answers.at(0))};
}

task<std::array<std::int64_t, usage_kinds.size()>> usage_store::totals(std::int64_t day) {
    const auto values = postgres::params::of(day);
    const auto found = co_await router_.query(sum_day, values);
    std::array<std::int64_t, usage_kinds.size()> out{};
    for (const auto r : found.answer)
        if (const auto kind = parse_usage_kind(r[0].text()))
            out[static_cast<std::size_t>(*kind)] = r[1].int64();
    co_return out;
}

task<void> usage_store::set_limit(std::int64_t user_id, usage_kind kind,
                                  std::optional<std::int64_t> daily_limit) {
    if (!daily_limit) {
        const auto values = postgres::params::of(user_id, to_string(kind));
        co_await router_.write().query(drop_limit, values);
        co_return;
    }
    const auto values = postgres::params::of(user_id, to_string(kind), *daily_limit);
    co_await router_.write().query(put_limit, values);
}

} // namespace tiktrend::catalog
