#include "page_commit.hpp"
#include "product_query.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/catalog/product_store.hpp>

#include <algorithm>
#include <cassert>
#include <unordered_set>

namespace tiktrend::catalog {
namespace {

constexpr std::string_view start_attempt =
    "SELECT status, attempt, cursor, pages, products_found, products_changed "
    "FROM scrape_run_start($1::text, $2::bigint, $3::integer, $4::text)";
constexpr std::string_view finish_attempt =
    "SELECT status, attempt, cursor, pages, products_found, products_changed "
    "FROM scrape_run_finish($1::text, $2::bigint, $3::integer, $4::text, $5::text)";
constexpr std::string_view newest_attempt =
    "SELECT status, attempt, cursor, pages, products_found, products_changed FROM scrape_runs "
    "WHERE job_id = $1::text AND job_timestamp_ms = $2::bigint ORDER BY attempt DESC LIMIT 1";
constexpr std::string_view current_lsn = "SELECT pg_current_wal_insert_lsn()::text";
constexpr std::string_view ensure_partition =
    "SELECT ensure_product_history_partition('epoch'::timestamptz + $1::bigint * interval '1 millisecond')";
constexpr std::string_view ensure_months = "SELECT ensure_product_history_partition(now() + n * interval '1 "
                                           "month') FROM generate_series(0, $1::integer) AS n";
constexpr std::string_view read_categories = "SELECT id, name FROM categories ORDER BY name";

constexpr std::size_t max_known_categories = 10'000;

std::optional<std::string> owned(std::optional<std::string_view> text) {
    return text ? std::optional<std::string>{*text} : std::nullopt;
}

run_status parse_status(std::string_view text) {
    for (const auto s :
         {run_status::running, run_status::succeeded, run_status::failed, run_status::interrupted})
        if (to_string(s) == text) return s;
    throw std::logic_error("an unknown run status in scrape_runs");
}

run_state read_state(const postgres::row& r) {
    run_state out;
    out.status = parse_status(r[0].text());
    out.attempt = static_cast<std::int32_t>(r[1].int64());
    out.cursor = r[2].text();
    out.pages = r[3].int64();
    out.products_found = r[4].int64();
    out.products_changed = r[5].int64();
    return out;
}

product read_product(const postgres::row& r) {
    product out;
    out.id = r[0].int64();
    out.source = r[1].text();
    out.external_id = r[2].text();
    out.kind = parse_product_kind(r[3].text()).value_or(product_kind::product);
    out.title = r[4].text();
    out.description = owned(r[5].optional_text());
    out.url = owned(r[6].optional_text());
    out.image_url = owned(r[7].optional_text());
    out.image_cdn_url = owned(r[8].optional_text());
    out.category_id = r[9].optional_int64();
    out.category = owned(r[10].optional_text());
    out.price_min = owned(r[11].optional_text());
    out.price_max = owned(r[12].optional_text());
    out.currency = owned(r[13].optional_text());
    out.sales_7d = r[14].optional_int64();
    out.sales_total = r[15].optional_int64();
    out.rating = r[16].optional_float64();
    out.review_count = r[17].optional_int64();
    out.trend_score = r[18].optional_float64();
    out.is_trending = r[19].boolean();
    out.is_active = r[20].boolean();
    out.attributes = r[21].text();
    out.first_seen_ms = r[22].int64();
    out.last_updated_ms = r[23].int64();
    out.scraped_at_ms = r[24].int64();
    return out;
}

/// The errors that the functions of migration 003 raise.
std::optional<errc> ledger_outcome(const postgres::server_error& e) noexcept {
    if (e.sqlstate() == "TT001") return errc::fenced;
    if (e.sqlstate() == "TT002") return errc::already_finished;
    if (e.sqlstate() == "TT004") return errc::not_started;
    return std::nullopt;
}
constexpr std::string_view page_replayed = "TT003";

} // namespace

struct product_store::impl {
    impl(postgres::router& r, product_store_options o) : router{r}, options{std::move(o)} {}

    /// How one try of a transaction ended, other than by an exception.
    struct outcome {
        std::vector<postgres::rows> answers;
        std::optional<postgres::server_error> refused;
    };

    /// Runs the batch, again after a deadlock or a serialization failure. A refusal of the ledger is an
    /// outcome.
    task<outcome> transact(const postgres::batch& b) {
        for (int attempt = 1;; ++attempt) {
            outcome out;
            try {
                out.answers = co_await router.write().run(b);
                co_return out;
            } catch (const postgres::server_error& e) {
                if (e.sqlstate().starts_with("TT")) {
                    out.refused.emplace(e);
                } else if (!postgres::is_retryable(e.code()) || attempt >= options.max_attempts) {
                    throw;
                } else {
                    options.log.warn("transaction_retried",
                                     {{"sqlstate", e.sqlstate()}, {"attempt", attempt}});
                }
            }
            if (out.refused) co_return out;
            // Full jitter, so that two that collided do not meet again.
            const std::chrono::duration<double, std::milli> pause{random.next() * 10.0 * (1 << attempt)};
            co_await sleep_for(std::chrono::duration_cast<std::chrono::steady_clock::duration>(pause));
        }
    }

    /// One of the ledger's functions.
    task<result<run_state>> ledger(std::string_view sql, postgres::params values) {
        postgres::batch b;
        b.add(sql, std::move(values));
        const auto out = co_await transact(b);
        if (!out.refused) co_return read_state(out.answers.front().front());
        const auto code = ledger_outcome(*out.refused);
        if (!code) throw *out.refused;
        co_return make_error_code(*code);
    }

    bool knows_all(const std::vector<std::string>& categories) const {
        return std::all_of(categories.begin(), categories.end(),
                           [this](const auto& c) { return known_categories.contains(c); });
    }

    /// Outside the page's transaction: creating a partition locks the parent table for others.
    task<void> ensure_history_months(const std::vector<std::int64_t>& months) {
        for (const auto month : months) {
            if (known_months.contains(month)) continue;
            co_await router.write().query(ensure_partition, postgres::params::of(month));
            known_months.insert(month);
        }
    }

    postgres::router& router;
    product_store_options options;
    default_random random;
    std::unordered_set<std::string> known_categories; ///< seen in a committed transaction
    bool expects_unchanged =
        false; ///< most of the last page was known: ask by hash before sending the next one
    std::unordered_set<std::int64_t> known_months; ///< with a partition of product_history
};

product_store::product_store(postgres::router& router, product_store_options options)
    : impl_{std::make_unique<impl>(router, std::move(options))} {}

product_store::~product_store() = default;

task<result<run_state>> product_store::start_run(const run_key& key, const std::string& source) {
    return impl_->ledger(start_attempt,
                         postgres::params::of(key.job_id, key.job_timestamp_ms, key.attempt, source));
}

task<std::optional<run_state>> product_store::resume(const std::string& job_id,
                                                     std::int64_t job_timestamp_ms) {
    const auto values = postgres::params::of(job_id, job_timestamp_ms);
    const auto found = co_await impl_->router.write().query(newest_attempt, values);
    if (found.empty()) co_return std::nullopt;
    co_return read_state(found.front());
}

task<result<run_state>> product_store::finish_run(const run_key& key, run_status status,
                                                  const std::string& error) {
    assert(status != run_status::running);
    const auto reason = error.empty() ? std::nullopt : std::optional{repair_utf8(error)};
    return impl_->ledger(finish_attempt, postgres::params::of(key.job_id, key.job_timestamp_ms, key.attempt,
                                                              to_string(status), reason));
}

task<result<committed_page>> product_store::commit_page(const run_key& key, const scraped_page& page,
                                                        std::function<void()> on_sent) {
    auto& s = *impl_;
    detail::page_commit commit{key, page, s.options.touch_unchanged_after};
    co_await s.ensure_history_months(commit.months());
    const auto offered = commit.size();
    if (s.expects_unchanged && offered > 0) {
        const auto probe = commit.probe();
        commit.keep(co_await s.router.write().run(probe));
    }
    const bool with_categories = !s.knows_all(commit.categories());
    auto statements = commit.statements(with_categories);
    statements.on_sent(std::move(on_sent));
    if (commit.refused())
        s.options.log.warn("product_values_refused",
                           {{"job_id", key.job_id}, {"page", page.number}, {"values", commit.refused()}});

    auto out = co_await s.transact(statements);
    if (!out.refused) {
        if (with_categories) {
            if (s.known_categories.size() > max_known_categories) s.known_categories.clear();
            s.known_categories.insert(commit.categories().begin(), commit.categories().end());
        }
        auto done = commit.read(out.answers, with_categories);
        if (offered > 0) s.expects_unchanged = done.changed.size() * 2 < offered;
        co_return done;
    }
    if (out.refused->sqlstate() == page_replayed) {
        committed_page replay;
        replay.is_replay = true;
        if (auto state = co_await resume(key.job_id, key.job_timestamp_ms)) replay.totals = std::move(*state);
        const auto at = co_await s.router.write().query(current_lsn);
        replay.lsn = postgres::lsn::parse(at.front()[0].text()).value_or(postgres::lsn{});
        co_return replay;
    }
    const auto code = ledger_outcome(*out.refused);
    if (!code) throw *out.refused;
    co_return make_error_code(*code);
}

task<seen<product_list>> product_store::list(const product_query& query, postgres::lsn at_least) {
    seen<product_list> out;
    const auto limit = std::clamp(query.limit, 1, 500);
    if (query.after && !fits(*query.after, query.sort)) co_return out;

    // One row more than asked for tells whether another page follows.
    bool nulls = query.after && !query.after->value;
    auto after = query.after;
    std::vector<std::optional<std::string>> sort_values;
    for (;;) {
        const auto wanted = limit + 1 - static_cast<int>(out.value.items.size());
        const auto statement = detail::build_list(query, nulls, after, wanted);
        const auto part = co_await impl_->router.query(statement.sql, statement.values, at_least);
        // Two statements may go to two servers: what both have seen counts.
        if (out.point.is_primary || (!part.point.is_primary && part.point.replayed < out.point.replayed))
            out.point = part.point;
        for (const auto r : part.answer) {
            out.value.items.push_back(read_product(r));
            sort_values.push_back(owned(r[detail::product_column_count].optional_text()));
        }
        if (static_cast<int>(out.value.items.size()) > limit || nulls || !detail::may_lack_value(query))
            break;
        nulls = true;
        after.reset();
    }
    if (static_cast<int>(out.value.items.size()) > limit) {
        out.value.items.pop_back();
        const auto last = static_cast<std::size_t>(limit) - 1;
        out.value.next = keyset{sort_values[last], out.value.items[last].id};
    }
    co_return out;
}

task<seen<std::optional<product>>> product_store::get(std::int64_t id, postgres::lsn at_least) {
    const auto values = postgres::params::of(id);
    const auto found = co_await impl_->router.query(detail::product_statement(), values, at_least);
    seen<std::optional<product>> out{std::nullopt, found.point};
    if (!found.answer.empty()) out.value = read_product(found.answer.front());
    co_return out;
}

task<seen<std::vector<history_point>>> product_store::history(std::int64_t id, int limit,
                                                              std::optional<std::int64_t> before_ms,
                                                              postgres::lsn at_least) {
    const auto values = postgres::params::of(id, std::clamp(limit, 1, 10'000), before_ms);
    const auto found = co_await impl_->router.query(detail::history_statement(), values, at_least);
    seen<std::vector<history_point>> out{{}, found.point};
    for (const auto r : found.answer) {
        history_point p;
        p.scraped_at_ms = r[0].int64();
        p.price_min = owned(r[1].optional_text());
        p.price_max = owned(r[2].optional_text());
        p.currency = owned(r[3].optional_text());
        p.sales_7d = r[4].optional_int64();
        p.sales_total = r[5].optional_int64();
        p.rating = r[6].optional_float64();
        p.review_count = r[7].optional_int64();
        p.trend_score = r[8].optional_float64();
        out.value.push_back(std::move(p));
    }
    co_return out;
}

task<seen<std::vector<category_entry>>> product_store::categories() {
    const auto found = co_await impl_->router.query(read_categories);
    seen<std::vector<category_entry>> out{{}, found.point};
    for (const auto r : found.answer)
        out.value.push_back({r[0].int64(), std::string{r[1].text()}});
    co_return out;
}

task<void> product_store::ensure_partitions(int months_ahead) {
    const auto values = postgres::params::of(months_ahead);
    co_await impl_->router.write().query(ensure_months, values);
}

} // namespace tiktrend::catalog
