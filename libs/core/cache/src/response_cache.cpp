#include "scripts.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/cache/response_cache.hpp>
#include <tiktrend/redis/subscriber.hpp>

#include <array>
#include <cassert>
#include <unordered_map>

namespace tiktrend::cache {
namespace {

/// The era or the generation in "TOKEN LSN".
std::string_view token_of(std::string_view guard) {
    return guard.substr(0, guard.find(' '));
}

/// What changes when a scope is cleared for good, of "CLEARED.CHANGED".
std::string_view clearing_of(std::string_view era) {
    return era.substr(0, era.find('.'));
}

redis::client_options follower_options(const logger& log) {
    redis::client_options o;
    o.client_name = "tiktrend-cache-follower";
    o.command_timeout = std::chrono::milliseconds{2000}; // how soon a dead connection is noticed, about
    o.log = log;
    return o;
}

/// Sets the flag while it lives, if it has one.
class probe {
public:
    explicit probe(bool* flag) : flag_{flag} {
        if (flag_) *flag_ = true;
    }
    probe(const probe&) = delete;
    probe& operator=(const probe&) = delete;
    ~probe() {
        if (flag_) *flag_ = false;
    }

private:
    bool* flag_;
};

/// How many loads run that no cache takes off the source.
struct bounded_loads {
    std::size_t running = 0;

    /// Held by a load. A null counter: it does not count.
    class place {
    public:
        place(bounded_loads* b, std::size_t most) : counted_{b} {
            if (b && b->running >= most)
                throw system_error{tiktrend::errc::overloaded, "too many loads without a cache"};
            if (b) ++b->running;
        }
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        ~place() {
            if (counted_) --counted_->running;
        }

    private:
        bounded_loads* counted_;
    };
};

} // namespace

std::string_view to_string(outcome o) noexcept {
    switch (o) {
    case outcome::hit_near:
        return "hit_near";
    case outcome::hit:
        return "hit";
    case outcome::miss:
        return "miss";
    case outcome::coalesced:
        return "coalesced";
    case outcome::bypass:
        return "bypass";
    case outcome::stale:
        return "stale";
    }
    return "unknown";
}

std::string_view to_string(fill_result r) noexcept {
    switch (r) {
    case fill_result::stored:
        return "stored";
    case fill_result::moved:
        return "moved";
    case fill_result::too_old:
        return "too_old";
    case fill_result::too_large:
        return "too_large";
    case fill_result::failed:
        return "failed";
    }
    return "unknown";
}

struct response_cache::impl {
    impl(redis::client& c, response_cache_options o)
        : far{c}, options{std::move(o)}, near{options.near},
          follower{c.get_executor(), c.where(), handlers_of_follower(), follower_options(options.log)},
          tasks{c.get_executor()} {
        follower.track(std::string{invalidation_prefix});
    }

    /// One way to the answer of one key, shared by all who ask meanwhile.
    struct flight {
        flight(asio::any_io_executor executor, const key& k) : name{k}, done{std::move(executor)} {}
        key name;
        event done;
        answer result;
        std::exception_ptr error;
    };
    using flight_ptr = std::shared_ptr<flight>;

    /// Held by the task of a flight: whatever ends the task, also a cancellation before its first step,
    /// nobody waits on.
    struct pilot {
        pilot(impl& o, flight_ptr f) : owner{&o}, mine{std::move(f)} {}
        pilot(pilot&& other) noexcept = default;
        pilot& operator=(pilot&&) = delete;
        ~pilot() {
            if (!mine || mine->done.is_set()) return;
            mine->error = std::make_exception_ptr(system_error{tiktrend::errc::stopped});
            owner->land(mine);
        }
        impl* owner;
        flight_ptr mine;
    };

    /// What Redis said about a key.
    struct far_state {
        bool reached = false;
        std::string era;
        std::string guard;
        entry_ptr value; ///< null: not there, or no longer valid
        entry_ptr stale; ///< not valid, but better than nothing
    };

    redis::subscriber::handlers handlers_of_follower();
    void changed(std::string_view redis_key);
    void all_changed();

    task<void> fly(pilot p, std::chrono::milliseconds ttl, loader load);
    void land(const flight_ptr& f);
    task<far_state> look_up(const key& k);
    task<answer> load_now(const key& k, const far_state& seen, std::chrono::milliseconds ttl, loader load);
    task<entry_ptr> old_answer(const key& k, const far_state& seen);
    task<fill_result> fill(const key& k, const far_state& seen, const entry& e);
    void note(const key& k, outcome o) const {
        if (options.on_outcome) options.on_outcome(k.scope(), o);
    }
    std::chrono::milliseconds jittered(std::chrono::milliseconds ttl);

    redis::client& far;
    response_cache_options options;
    near_cache near;
    default_random random;
    bounded_loads uncached;
    bool is_away = false;                        ///< the source, as the last load found it
    bool is_probing = false;                     ///< one load looks whether it is back
    near_cache::clock::time_point answered_at{}; ///< when a load last succeeded
    near_cache::clock::time_point rests_until{}; ///< while it is away it is not asked before
    bool started = false;
    bool stopped = false;
    bool joined = true;
    std::unordered_map<std::string, flight_ptr> flights; ///< those that may still be joined, by value key
    redis::subscriber follower;
    task_group tasks;
};

redis::subscriber::handlers response_cache::impl::handlers_of_follower() {
    redis::subscriber::handlers h;
    h.on_connected = [this] { near.set_trusted(true); };
    h.on_invalidate = [this](std::string_view k) { changed(k); };
    h.on_flush = [this] { all_changed(); };
    return h;
}

void response_cache::impl::changed(std::string_view redis_key) {
    if (redis_key.ends_with("}:era")) return all_changed();
    near.invalidate(redis_key);
    if (options.on_changed) options.on_changed(redis_key);
    // Who asks from now on must not get what was read before the change.
    std::erase_if(flights, [&](const auto& f) { return f.second->name.guard() == redis_key; });
}

void response_cache::impl::all_changed() {
    flights.clear();
    if (options.on_all_changed) options.on_all_changed();
    if (follower.is_connected())
        near.clear();
    else
        near.set_trusted(false);
}

void response_cache::impl::land(const flight_ptr& f) {
    const auto it = flights.find(f->name.value());
    if (it != flights.end() && it->second == f) flights.erase(it);
    f->done.set();
}

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

task<answer> response_cache::impl::load_now(const key& k, const far_state& seen,
                                            std::chrono::milliseconds ttl, loader load) {
    // While the source is away one at a time finds out whether it still is, which takes as long as a
    // connection is waited for; the others need not wait for what they would get anyway.
    const auto began = near_cache::clock::now();
    if (is_away && (is_probing || began < rests_until))
        if (auto old = co_await old_answer(k, seen)) co_return answer{std::move(old), outcome::stale};
    const probe mine{is_away && !is_probing ? &is_probing : nullptr};
    const bounded_loads::place place{seen.reached ? nullptr : &uncached, options.max_uncached_loads};
    std::exception_ptr failure;
    std::string reason;
    try {
        auto l = co_await within(options.load_timeout, load());
        is_away = false;
        answered_at = near_cache::clock::now();
        const auto at = options.clock->now_ms();
        const auto life = jittered(l.found ? ttl : std::min(ttl, options.negative_ttl));
        co_return answer{
            make_entry(std::move(l.body), l.found, l.lsn, at, options.compress_from, at + life.count()),
            seen.reached ? outcome::miss : outcome::bypass};
    } catch (const system_error& e) {
        if (is_cancelled(e.code()) || e.code() == tiktrend::errc::stopped) throw;
        failure = std::current_exception();
        reason = e.what();
    }
    // A source that answered others meanwhile is not away: this load alone was too much for it.
    if (answered_at < began) {
        is_away = true;
        rests_until = near_cache::clock::now() + options.source_rest;
    }
    auto old = co_await old_answer(k, seen);
    if (!old) std::rethrow_exception(failure);
    options.log.warn("stale_answer", {{"scope", k.scope()}, {"error", reason}});
    co_return answer{std::move(old), outcome::stale};
}

task<void> response_cache::impl::fly(pilot p, std::chrono::milliseconds ttl, loader load) {
    const auto f = p.mine;
    const auto& k = f->name;
    const auto ticket = near.expect(k.guard()); // before anything is read
    far_state seen;
    try {
        seen = co_await look_up(k);
        if (seen.value) {
            f->result = {seen.value, outcome::hit};
        } else {
            f->result = co_await load_now(k, seen, ttl, std::move(load));
        }
    } catch (const system_error& e) {
        f->error = is_cancelled(e.code()) && stopped
                       ? std::make_exception_ptr(system_error{tiktrend::errc::stopped})
                       : std::current_exception();
    } catch (...) {
        f->error = std::current_exception();
    }
    // The waiters need not wait for the fill: who asks after them on this thread finds it in front of his own
    // look-up.
    land(f);
    if (f->error || f->result.how == outcome::bypass || f->result.how == outcome::stale) co_return;
    const auto now = near_cache::clock::now;
    const auto e = f->result.value;
    if (f->result.how == outcome::hit) {
        near.store(ticket, k.value(), e, now());
        co_return;
    }
    const auto r = co_await fill(k, seen, *e);
    if (options.on_fill) options.on_fill(k.scope(), r);
    if (r == fill_result::stored) near.store(ticket, k.value(), e, now());
}

response_cache::response_cache(redis::client& far, response_cache_options options)
    : impl_{std::make_unique<impl>(far, std::move(options))} {}

response_cache::~response_cache() {
    assert(impl_->joined && "await stop() before the cache goes");
}

void response_cache::start() {
    if (impl_->started || impl_->stopped) return;
    impl_->started = true;
    impl_->joined = false;
    impl_->follower.start();
}

task<void> response_cache::stop() {
    impl_->stopped = true;
    impl_->tasks.cancel();
    co_await impl_->tasks.join();
    co_await impl_->follower.stop();
    impl_->near.set_trusted(false);
    impl_->joined = true;
}

entry_ptr response_cache::find_near(const key& k) {
    auto e = impl_->near.find(k.value(), near_cache::clock::now());
    if (e) impl_->note(k, outcome::hit_near);
    return e;
}

task<answer> response_cache::get(const key& k, std::chrono::milliseconds ttl, loader load) {
    if (auto e = find_near(k)) co_return answer{std::move(e), outcome::hit_near};
    if (!impl_->started || impl_->stopped) throw system_error{tiktrend::errc::stopped};
    auto& place = impl_->flights[k.value()];
    const bool first = place == nullptr;
    if (first) {
        place = std::make_shared<impl::flight>(impl_->far.get_executor(), k);
        impl_->tasks.spawn("cache load", impl_->fly(impl::pilot{*impl_, place}, ttl, std::move(load)));
    }
    const auto f = place;
    co_await f->done.wait();
    if (f->error) std::rethrow_exception(f->error);
    auto a = f->result;
    if (!first && a.how != outcome::stale) a.how = outcome::coalesced;
    impl_->note(k, a.how);
    co_return a;
}

const near_cache& response_cache::near() const noexcept {
    return impl_->near;
}

} // namespace tiktrend::cache
