#include "quota_book.hpp"

#include "json_writer.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/cache/invalidator.hpp>
#include <tiktrend/http/problem.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view scope = "quota";
constexpr std::int64_t day_ms = 86'400'000;
constexpr auto flush_interval = 250ms;
constexpr std::size_t max_waiting = 10'000; ///< requests of one user that wait for a count

std::size_t index_of(catalog::usage_kind kind) {
    return static_cast<std::size_t>(kind);
}

http::problem quota_exceeded(catalog::usage_kind kind, const catalog::usage_state& state,
                             std::int64_t now_ms) {
    const auto left = std::chrono::seconds{(day_ms - now_ms % day_ms) / 1000 + 1};
    const auto name = catalog::to_string(kind);
    return http::problem(429, "quota_exceeded",
                         fmt::format("The daily quota of {} {} does not allow this; {} are used. It begins "
                                     "anew at midnight UTC.",
                                     state.limit.value_or(0), name, state.used))
        .with_type("https://iana.org/assignments/http-problem-types#quota-exceeded")
        .with_member("violated-policies", fmt::format(R"(["{}-per-day"])", name))
        .with_retry_after(left);
}

task<cache::loaded> load(catalog::usage_store& store, std::int64_t user_id, std::int64_t day,
                         quota_limits limits) {
    cache::loaded out;
    std::string quotas = "[";
    for (const auto kind : catalog::usage_kinds) {
        const catalog::usage_key key{user_id, kind, day};
        const auto [state, lsn] = co_await store.read(key, limits.standard[index_of(kind)]);
        json_object_writer w;
        w.text("kind", catalog::to_string(kind));
        w.integer("used", state.used);
        w.json("limit", state.limit ? std::to_string(*state.limit) : std::string{});
        w.json("remaining", state.limit ? std::to_string(std::max<std::int64_t>(*state.limit - state.used, 0))
                                        : std::string{});
        if (quotas.size() > 1) quotas += ',';
        quotas += w.take();
        out.lsn = out.lsn ? std::min(out.lsn, lsn) : lsn;
    }
    json_object_writer w;
    w.text("day", std::string_view{rfc3339(day * day_ms)}.substr(0, 10));
    w.time("resets_at", (day + 1) * day_ms);
    w.json("quotas", quotas + ']');
    out.body = w.take();
    co_return out;
}

} // namespace

/// One request that waits for its count.
struct quota_book::claim {
    claim(asio::any_io_executor executor, std::int64_t wanted) : n{wanted}, done{std::move(executor)} {}
    std::int64_t n;
    event done;
    bool granted = false;
    bool abandoned = false; ///< nobody waits any more
    catalog::usage_state state;
    std::exception_ptr failure;
};

struct quota_book::line {
    std::vector<std::shared_ptr<claim>> claims;
};

quota_book::quota_book(asio::any_io_executor executor, catalog::usage_store& store,
                       cache::response_cache& answers, redis::client& cache_redis, quota_limits limits,
                       observe::registry& metrics, logger log, const wall_clock& clock)
    : executor_{executor}, store_{store}, answers_{answers}, redis_{cache_redis}, limits_{limits},
      refusals_{metrics.counters("quota_refusals_total", "Requests refused because of a quota.", {"type"})},
      log_{std::move(log)}, clock_{clock}, tasks_{executor} {}

quota_book::~quota_book() = default;

std::optional<catalog::usage_key> quota_book::take_unlimited(const principal& who, catalog::usage_kind kind,
                                                             std::int64_t n) {
    if (!who.is_admin()) return std::nullopt;
    const catalog::usage_key key{who.user_id, kind, catalog::usage_day_of(clock_.now_ms())};
    unlimited_[key] += n;
    if (!std::exchange(flushing_, true)) tasks_.spawn("count", flush_later());
    return key;
}

task<catalog::usage_key> quota_book::take(const principal& who, catalog::usage_kind kind, std::int64_t n) {
    if (const auto counted = take_unlimited(who, kind, n)) co_return *counted;
    const catalog::usage_key key{who.user_id, kind, catalog::usage_day_of(clock_.now_ms())};
    auto mine = std::make_shared<claim>(executor_, n);
    auto& place = lines_[key];
    if (place && place->claims.size() >= max_waiting) throw system_error(errc::overloaded);
    if (place) {
        place->claims.push_back(mine);
    } else {
        place = std::make_shared<line>();
        place->claims.push_back(mine);
        tasks_.spawn("count", serve(key, place));
    }
    try {
        co_await mine->done.wait();
    } catch (...) {
        mine->abandoned = true;
        if (mine->granted) give_back(key, n);
        throw;
    }
    if (mine->failure) std::rethrow_exception(mine->failure);
    if (!mine->granted) {
        refusals_(catalog::to_string(kind)).add();
        throw quota_exceeded(kind, mine->state, clock_.now_ms());
    }
    co_return key;
}

task<void> quota_book::serve(catalog::usage_key key, std::shared_ptr<line> waiting) {
    while (!waiting->claims.empty()) {
        const auto claims = std::exchange(waiting->claims, {});
        std::int64_t wanted = 0;
        for (const auto& c : claims)
            wanted += c->n;
        std::exception_ptr failure;
        try {
            const auto taken = co_await store_.take(key, wanted, limits_.standard[index_of(key.kind)]);
            hand_out(key, claims, taken);
        } catch (...) {
            failure = std::current_exception();
        }
        for (const auto& c : claims) {
            if (failure) c->failure = failure;
            c->done.set();
        }
    }
    lines_.erase(key);
}

void quota_book::hand_out(catalog::usage_key key, const std::vector<std::shared_ptr<claim>>& claims,
                          const catalog::usage_store::taken& t) {
    auto left = t.granted;
    for (const auto& c : claims) {
        c->state = t.state;
        c->granted = !c->abandoned && c->n <= left;
        if (c->granted) left -= c->n;
    }
    if (t.granted > 0) forget_answer(key, t.lsn);
    if (left > 0) give_back(key, left);
}

void quota_book::give_back(catalog::usage_key what, std::int64_t n) {
    tasks_.spawn("give back", give_back_now(what, n));
}

task<void> quota_book::give_back_now(catalog::usage_key what, std::int64_t n) {
    if (const auto it = unlimited_.find(what); it != unlimited_.end() && it->second >= n) {
        it->second -= n; // not counted yet
        co_return;
    }
    try {
        forget_answer(what, co_await store_.give_back(what, n));
    } catch (const std::exception& e) {
        log_.warn("quota_not_given_back", {{"user_id", what.user_id},
                                           {"kind", catalog::to_string(what.kind)},
                                           {"n", n},
                                           {"error", e.what()}});
    }
}

task<void> quota_book::flush_later() {
    try {
        while (!unlimited_.empty()) {
            co_await sleep_for(flush_interval);
            co_await flush();
        }
    } catch (const system_error&) { // cancelled by stop(), which flushes itself
    }
    flushing_ = false;
}

task<void> quota_book::flush() {
    auto counts = std::exchange(unlimited_, {});
    while (!counts.empty()) {
        const auto [key, n] = *counts.begin();
        try {
            if (n > 0) forget_answer(key, (co_await store_.take(key, n, std::nullopt)).lsn);
        } catch (const system_error& e) {
            log_.debug("quota_not_counted", {{"user_id", key.user_id}, {"error", e.what()}});
            if (is_cancelled(e.code()) || postgres::is_unavailable(e.code()))
                break; // the next flush tries again
        }
        counts.erase(counts.begin());
    }
    for (const auto& [key, n] : counts)
        unlimited_[key] += n;
}

task<void> quota_book::flush_within(std::chrono::milliseconds limit) {
    try {
        co_await within(limit, flush());
    } catch (const system_error& e) {
        if (e.code() != errc::timed_out) throw;
    }
}

task<void> quota_book::stop() {
    tasks_.cancel();
    co_await tasks_.join();
    co_await flush_within(std::chrono::seconds{2});
    tasks_.cancel();
    co_await tasks_.join();
}

task<std::optional<std::int64_t>> quota_book::limit_of(std::int64_t user_id, catalog::usage_kind kind) {
    const catalog::usage_key key{user_id, kind, catalog::usage_day_of(clock_.now_ms())};
    co_return (co_await store_.read(key, limits_.standard[index_of(kind)])).first.limit;
}

task<cache::answer> quota_book::describe(std::int64_t user_id) {
    const auto day = catalog::usage_day_of(clock_.now_ms());
    const auto key = cache::key::one(scope, catalog::usage_answer_id(user_id, day));
    co_return co_await answers_.get(
        key, limits_.cache_ttl,
        [&store = store_, user_id, day, limits = limits_] { return load(store, user_id, day, limits); });
}

void quota_book::forget_answer(catalog::usage_key key, std::uint64_t lsn) {
    auto& at = changed_[catalog::usage_answer_id(key.user_id, key.day)];
    at = std::max(at, lsn);
    if (!std::exchange(forgetting_, true)) tasks_.spawn("forget", forget_answers());
}

task<void> quota_book::forget_answers() {
    while (!changed_.empty()) {
        std::vector<std::string> ids;
        std::uint64_t lsn = 0;
        for (const auto& [id, at] : std::exchange(changed_, {})) {
            ids.push_back(id);
            lsn = std::max(lsn, at);
        }
        try {
            co_await cache::invalidator{redis_}.invalidate(scope, ids, lsn, false);
        } catch (const system_error& e) { // the answers live on for their time
            log_.debug("quota_answers_not_forgotten", {{"error", e.what()}});
        }
    }
    forgetting_ = false;
}

} // namespace tiktrend::gateway
