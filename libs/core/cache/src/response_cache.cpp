#include "response_cache_impl.hpp"

#include <tiktrend/base/timeout.hpp>

#include <cassert>

namespace tiktrend::cache {
namespace {

redis::client_options follower_options(const logger& log) {
    redis::client_options o;
    o.client_name = "tiktrend-cache-follower";
    o.command_timeout = std::chrono::milliseconds{2000}; // how soon a dead connection is noticed, about
    o.log = log;
    return o;
}

} // namespace

response_cache::impl::impl(redis::client& c, response_cache_options o)
    : far{c}, options{std::move(o)}, near{options.near}, probe{c.get_executor()},
      follower{c.get_executor(), c.where(), handlers_of_follower(), follower_options(options.log)},
      tasks{c.get_executor()} {
    follower.track(std::string{invalidation_prefix});
}

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

task<answer> response_cache::impl::load_now(const key& k, const far_state& seen,
                                            std::chrono::milliseconds ttl, loader load) {
    // While the source is away one at a time finds out whether it still is, which takes as long as a
    // connection is waited for; the others need not wait for what they would get anyway.
    const auto began = near_cache::clock::now();
    if (is_away && (probe.is_taken() || began < rests_until))
        if (auto old = co_await old_answer(k, seen)) co_return answer{std::move(old), outcome::stale};
    std::optional<single_flight::lead> mine;
    if (is_away && !probe.is_taken()) mine.emplace(probe.take());
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
