#include "robots_gate.hpp"

#include "../proxy_pool.hpp"
#include "../retry_after.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tiktrend::worker {

using std::chrono::milliseconds;

namespace {

/// Failures of the fetch that the page's own fetch will have too, and explain better.
bool is_refused_by_guard(fetch::failure_kind k) noexcept {
    using kind = fetch::failure_kind;
    return k == kind::address_forbidden || k == kind::port_forbidden || k == kind::scheme_forbidden ||
           k == kind::bad_url;
}

/// Gives the others their turn whatever way the load ends.
class loading_mark {
public:
    loading_mark(bool& flag, event& changed) : flag_{flag}, changed_{changed} { flag_ = true; }
    loading_mark(const loading_mark&) = delete;
    loading_mark& operator=(const loading_mark&) = delete;
    ~loading_mark() {
        flag_ = false;
        changed_.notify_all();
    }

private:
    bool& flag_;
    event& changed_;
};

} // namespace

robots_gate::robots_gate(fetch::client& fetcher, politeness& polite, redis::client& cache,
                         const wall_clock& clock, robots_gate_options options)
    : fetcher_{fetcher}, polite_{polite}, cache_{cache}, clock_{clock}, options_{std::move(options)} {}

robots_gate::origin_ptr robots_gate::state_of(const std::string& origin) {
    if (const auto it = origins_.find(origin); it != origins_.end()) {
        used_.splice(used_.begin(), used_, it->second->place);
        return it->second;
    }
    if (origins_.size() >= options_.max_origins) forget_longest_unused();
    auto s = std::make_shared<origin_state>(cache_.get_executor());
    used_.push_front(origin);
    s->place = used_.begin();
    origins_.emplace(origin, s);
    return s;
}

void robots_gate::forget_longest_unused() {
    const auto oldest = origins_.find(used_.back());
    memory_ -= oldest->second->bytes;
    oldest->second->bytes = 0;
    origins_.erase(oldest); // whoever still loads it holds it
    used_.pop_back();
}

/// Takes the file in, and others out as long as all of them are too large together.
void robots_gate::know(const std::string& origin, origin_state& s, std::shared_ptr<const file> f) {
    s.known = std::move(f);
    const auto kept = origins_.find(origin);
    if (kept == origins_.end() || kept->second.get() != &s) return; // forgotten while it was fetched
    memory_ -= s.bytes;
    s.bytes = s.known->rules.bytes();
    memory_ += s.bytes;
    used_.splice(used_.begin(), used_, s.place);
    while (memory_ > options_.max_memory && used_.size() > 1)
        forget_longest_unused();
}

bool robots_gate::is_fresh(const file* f, std::int64_t now) const noexcept {
    return f && now - f->fetched_at_ms < options_.fresh.count();
}

bool robots_gate::is_usable(const file* f, std::int64_t now) const noexcept {
    return f && now - f->fetched_at_ms < options_.keep.count();
}

robots_verdict robots_gate::verdict_of(const file& f, const fetch::url& where) const {
    robots_verdict v;
    v.crawl_delay = f.rules.crawl_delay().value_or(milliseconds{0});
    if (!f.rules.allows(where.target)) {
        v.what = robots_verdict::kind::disallowed;
        v.reason = fmt::format("robots.txt of {} does not allow {} to fetch {}", where.origin(),
                               options_.product, where.for_log());
    }
    return v;
}

task<robots_verdict> robots_gate::check(const fetch::url& where, host_rules rules, milliseconds longest_pause,
                                        const std::string& proxy) {
    const auto origin = where.origin();
    const auto s = state_of(origin);
    for (;;) {
        const auto now = clock_.now_ms();
        if (is_fresh(s->known.get(), now)) co_return verdict_of(*s->known, where);
        if (s->retry_at_ms > now) {
            if (is_usable(s->known.get(), now)) co_return verdict_of(*s->known, where);
            robots_verdict v;
            v.what = robots_verdict::kind::unavailable;
            v.retry_after = milliseconds{s->retry_at_ms - now};
            v.reason = fmt::format("robots.txt of {} cannot be had, so nothing is asked for: {}", origin,
                                   s->trouble);
            co_return v;
        }
        if (s->is_loading) {
            co_await s->changed.wait();
        } else if (!co_await load(origin, *s, rules, longest_pause, proxy)) {
            robots_verdict v;
            v.what = robots_verdict::kind::unavailable;
            v.is_for_proxy = true;
            v.retry_after = milliseconds{1000};
            v.reason = s->trouble;
            co_return v;
        }
    }
}

/// Afterwards `known` is fresh or `retry_at_ms` lies ahead, unless it is the proxy's fault.
task<bool> robots_gate::load(const std::string& origin, origin_state& s, host_rules rules,
                             milliseconds longest_pause, const std::string& proxy) {
    const loading_mark mark{s.is_loading, s.changed};
    if (auto shared = co_await from_cache(origin);
        shared && (!s.known || shared->fetched_at_ms > s.known->fetched_at_ms))
        know(origin, s, std::move(shared));
    if (is_fresh(s.known.get(), clock_.now_ms())) co_return true;

    fetched got;
    {
        auto permit = co_await polite_.enter(origin, rules, longest_pause);
        if (permit) {
            got = co_await download(origin, proxy);
        } else {
            got.trouble = "the host is left alone for now";
            got.wait = permit.error();
        }
    }
    const auto now = clock_.now_ms();
    if (got.text) {
        auto fresh = std::make_shared<file>();
        fresh->rules = robots_rules::parse(*got.text, options_.product);
        fresh->fetched_at_ms = now;
        know(origin, s, std::move(fresh));
        s.retry_at_ms = 0;
        s.backoff = milliseconds{0};
        if (!got.text->empty())
            co_await to_cache(origin, now,
                              *got.text); // "none" may be our own guard, which others need not share
        co_return true;
    }
    s.trouble = std::move(got.trouble);
    if (got.is_for_proxy) co_return false;
    if (got.wait == milliseconds::zero()) {
        s.backoff = std::clamp(s.backoff * 2, options_.first_retry, options_.last_retry);
        got.wait = s.backoff;
        options_.log.warn("robots_unavailable",
                          {{"origin", origin}, {"error", s.trouble}, {"retry_ms", got.wait.count()}});
    }
    s.retry_at_ms = now + got.wait.count();
    co_return true;
}

task<robots_gate::fetched> robots_gate::download(const std::string& origin, const std::string& proxy) {
    fetch::request request{origin + "/robots.txt"};
    request.max_body_bytes = robots_rules::max_bytes + 1; // more than counts, so that a cut is seen
    request.cut_body = true;
    request.total_timeout = options_.fetch_limit;
    request.proxy = proxy;
    if (const auto secret = password_of(proxy); !secret.empty()) request.secrets.emplace_back(secret);
    const auto told = [this](std::string_view result) {
        if (options_.on_fetch) options_.on_fetch(result);
    };
    fetched got;
    auto out = co_await fetcher_.fetch(request);
    if (!out) {
        const auto& f = out.error();
        const bool is_none = f.kind == fetch::failure_kind::too_many_redirects || is_refused_by_guard(f.kind);
        told(is_none ? "none" : "unavailable");
        if (is_none) got.text.emplace();
        got.trouble = f.message();
        got.is_for_proxy = f.kind == fetch::failure_kind::proxy_failed;
        co_return got;
    }
    const int status = out->status;
    if (status >= 200 && status < 300) {
        told("found");
        got.text = std::move(out->body);
        co_return got;
    }
    if (status != 429 && status < 500) { // 4xx, and redirects that lead nowhere
        told("none");
        got.text.emplace();
        co_return got;
    }
    told("unavailable");
    got.trouble = fmt::format("status {}", status);
    const auto asked =
        parse_retry_after(out->header_value("retry-after"), clock_.now_ms(), options_.last_retry);
    if (asked && *asked > milliseconds::zero()) {
        got.wait = *asked;
        polite_.pause(origin, got.wait); // for everybody, whatever they want of the host
    }
    co_return got;
}

/// Stored as "<ms of the fetch>\n<text>".
task<std::shared_ptr<const robots_gate::file>> robots_gate::from_cache(const std::string& origin) {
    const auto key = options_.key_prefix + origin;
    try {
        const auto answer = co_await within(options_.redis_limit, cache_.exec(redis::command{"GET", key}));
        const auto stored = answer.is_error() ? std::string_view{} : answer.text();
        const auto end = stored.find('\n');
        if (end == std::string_view::npos) co_return nullptr;
        auto f = std::make_shared<file>();
        const auto [at, error] = std::from_chars(stored.data(), stored.data() + end, f->fetched_at_ms);
        if (error != std::errc{} || at != stored.data() + end || f->fetched_at_ms > clock_.now_ms())
            co_return nullptr;
        f->rules = robots_rules::parse(stored.substr(end + 1), options_.product);
        co_return f;
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        co_return nullptr; // a cache that is away only costs a fetch
    }
}

task<void> robots_gate::to_cache(const std::string& origin, std::int64_t at_ms, std::string_view text) {
    const auto key = options_.key_prefix + origin;
    const auto value = fmt::format("{}\n{}", at_ms, robots_rules::readable(text));
    const auto life = std::to_string(options_.keep.count());
    try {
        co_await within(options_.redis_limit, cache_.exec(redis::command{"SET", key, value, "PX", life}));
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
    }
}

} // namespace tiktrend::worker
