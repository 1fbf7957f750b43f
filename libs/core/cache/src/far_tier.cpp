// What a response_cache asks of Redis and stores there.
#include "response_cache_impl.hpp"
#include "scripts.hpp"

#include <array>

namespace tiktrend::cache {

task<response_cache::impl::far_state> response_cache::impl::look_up(const key& k) {
    far_state s;
    redis::reply r;
    try {
        r = co_await far.exec(redis::command{"MGET", k.era(), k.guard(), k.value()});
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        options.log.debug("cache_unreachable", {{"scope", k.scope()}, {"error", e.what()}});
        co_return s;
    }
    if (r.size() != 3) {
        options.log.warn("cache_lookup_refused", {{"scope", k.scope()}, {"error", r.text()}});
        co_return s;
    }
    s.reached = true;
    s.era = r[0].text();
    s.guard = r[1].text();
    if (r[2].is_nil()) co_return s;
    auto stored = decode(r[2].text());
    const auto era = token_of(s.era);
    if (!stored || clearing_of(stored->era) != clearing_of(era)) co_return s;
    // An item's answer is moved away by its invalidation; a list's answer stays behind with an old
    // generation.
    const bool is_old_era = stored->era != era;
    const bool is_old_list = k.is_list() && (s.guard.empty() || stored->generation != token_of(s.guard));
    const auto fresh_until = stored->answer->fresh_until_ms;
    const bool is_too_old = fresh_until != 0 && options.clock->now_ms() >= fresh_until;
    (is_old_era || is_old_list || is_too_old ? s.stale : s.value) = std::move(stored->answer);
    co_return s;
}

std::chrono::milliseconds response_cache::impl::jittered(std::chrono::milliseconds ttl) {
    const auto kept = 1.0 - options.ttl_jitter * random.next();
    return std::max(std::chrono::milliseconds{1}, std::chrono::milliseconds{static_cast<std::int64_t>(
                                                      static_cast<double>(ttl.count()) * kept)});
}

task<fill_result> response_cache::impl::fill(const key& k, const far_state& seen, const entry& e) {
    if (e.memory() > options.max_value_bytes) co_return fill_result::too_large;
    // The lists of a scope need a generation to belong to.
    std::string new_guard;
    if (k.is_list() && seen.guard.empty()) new_guard = fresh_token() + ' ' + lsn_text(0);
    const auto generation = token_of(seen.guard.empty() ? new_guard : seen.guard);
    const auto value = encode(token_of(seen.era), generation, e);
    const auto lsn = lsn_text(e.lsn);
    const auto life = std::to_string(e.fresh_until_ms - e.filled_at_ms + options.stale_for.count());
    const std::array<std::string_view, 4> keys{k.era(), k.guard(), k.value(), k.old()};
    const std::array<std::string_view, 6> args{seen.era, seen.guard, lsn, life, new_guard, value};
    try {
        const auto r = co_await far.eval(fill_script(), std::span{keys}.first(k.is_list() ? 3 : 4), args);
        if (r.text() == "stored") co_return fill_result::stored;
        if (r.text() == "moved") co_return fill_result::moved;
        if (r.text() == "too_old") co_return fill_result::too_old;
        options.log.warn("cache_fill_refused", {{"scope", k.scope()}, {"error", r.text()}});
    } catch (const system_error& error) {
        if (is_cancelled(error.code())) throw;
        options.log.debug("cache_unreachable", {{"scope", k.scope()}, {"error", error.what()}});
    }
    co_return fill_result::failed;
}

/// Better than nothing, if anything is. That there was no such item is not told any more: there may be one by
/// now.
task<entry_ptr> response_cache::impl::old_answer(const key& k, const far_state& seen) {
    if (seen.stale || k.is_list() || !seen.reached || options.stale_for.count() == 0)
        co_return seen.stale&& seen.stale->found ? seen.stale : nullptr;
    try {
        const auto r = co_await far.exec(redis::command{"GET", k.old()});
        auto stored = r.is_error() || r.is_nil() ? std::nullopt : decode(r.text());
        if (stored && stored->answer->found && clearing_of(stored->era) == clearing_of(token_of(seen.era)))
            co_return stored->answer;
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        options.log.debug("cache_unreachable", {{"scope", k.scope()}, {"error", e.what()}});
    }
    co_return nullptr;
}

} // namespace tiktrend::cache
