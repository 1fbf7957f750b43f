#include "middleware/rate_limiter.hpp"

#include "middleware/principal.hpp"
#include "scripts.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/http/problem.hpp>

#include <boost/asio/ip/address.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_accounts = 20'000;
constexpr auto permit_life = 1s;
constexpr auto pause_without_redis = 1s;
constexpr std::int64_t share = 64;          ///< a thread takes this part of what is left …
constexpr std::int64_t most_at_once = 1024; ///< … and no more than this

std::int64_t seconds_up(std::chrono::milliseconds t) {
    return std::max<std::int64_t>((t.count() + 999) / 1000, 0);
}

std::string policy_field(const rate_policy& p) {
    return fmt::format("\"{}\";q={};w={}", p.name, p.limit->quota, seconds_up(p.limit->window));
}

/// With every answer, so without fmt's parsing.
std::string state_field(const rate_policy& p, const rate_limiter::decision& d) {
    std::string out;
    out.reserve(64);
    out.append(1, '"').append(p.name).append("\";r=");
    append_json_number(out, d.left);
    out.append(";t=");
    append_json_number(out, d.allowed ? seconds_up(d.until_full)
                                      : std::max<std::int64_t>(seconds_up(d.retry_after), 1));
    return out;
}

} // namespace

http::problem rate_limited(const rate_policy& policy, const rate_limiter::decision& d) {
    return http::problem(429, "rate_limited",
                         fmt::format("More than {} requests of the class '{}' in {} s.", policy.limit->quota,
                                     policy.name, seconds_up(policy.limit->window)))
        .with_type("https://iana.org/assignments/http-problem-types#quota-exceeded")
        .with_member("violated-policies", fmt::format("[\"{}\"]", policy.name))
        .with_header("RateLimit-Policy", policy_field(policy))
        .with_header("RateLimit", state_field(policy, d))
        .with_retry_after(std::chrono::seconds{std::max<std::int64_t>(seconds_up(d.retry_after), 1)});
}

std::string subscriber_of(const std::string& address) {
    boost::system::error_code ec;
    const auto parsed = asio::ip::make_address(address, ec);
    if (ec || !parsed.is_v6() || parsed.to_v6().is_v4_mapped()) return address;
    auto bytes = parsed.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), 0);
    return asio::ip::address_v6{bytes}.to_string() + "/64";
}

rate_limiter::rate_limiter(redis::client& client, const rate_limits& settings, observe::registry& metrics,
                           logger log)
    : client_{client}, settings_{settings},
      refusals_{metrics.counters("rate_limit_refusals_total", "Requests refused because of a rate limit.",
                                 {"policy"})},
      errors_{metrics.make_counter("rate_limit_errors_total",
                                   "Times Redis could not be asked about a rate limit.")},
      log_{std::move(log)} {}

std::shared_ptr<rate_limiter::account> rate_limiter::account_of(const std::string& key) {
    if (const auto it = accounts_.find(key); it != accounts_.end()) return it->second;
    if (accounts_.size() >= max_accounts) accounts_.clear(); // what was taken and not spent is lost
    return accounts_.emplace(key, std::make_shared<account>(client_.get_executor())).first->second;
}

std::optional<rate_limiter::decision> rate_limiter::decide_here(account& a, clock::time_point now,
                                                                bool spend) const {
    decision d;
    d.is_known = true;
    if (now < a.denied_until) {
        d.allowed = false;
        d.retry_after = std::chrono::ceil<std::chrono::milliseconds>(a.denied_until - now);
        d.until_full = std::chrono::ceil<std::chrono::milliseconds>(a.full_at - now);
        return d;
    }
    if (a.permits < 1 || now > a.permits_until) return std::nullopt;
    if (spend) --a.permits;
    d.left = a.left + a.permits;
    d.until_full =
        std::chrono::ceil<std::chrono::milliseconds>(std::max(a.full_at - now, clock::duration{0}));
    return d;
}

task<void> rate_limiter::ask(const std::string& key, account& a, const rate_limit& limit,
                             std::int64_t wanted) {
    const auto reply = co_await run_script(client_, take_permits_script(), key,
                                           {std::to_string(limit.quota),
                                            std::to_string(std::chrono::microseconds{limit.window}.count()),
                                            std::to_string(wanted)});
    const auto now = clock::now();
    if (now > a.permits_until) a.permits = 0;
    a.permits += reply[0].integer();
    a.permits_until = now + permit_life;
    a.left = reply[1].integer();
    a.full_at = now + std::chrono::milliseconds{reply[2].integer()};
    if (a.permits < 1 && a.left < 1) a.denied_until = now + std::chrono::milliseconds{reply[3].integer()};
}

task<rate_limiter::decision> rate_limiter::settle(rate_policy policy, std::string who, bool spend) {
    if (!policy.limit) co_return decision{};
    const auto key = fmt::format("limit:{}:{}", policy.name, who);
    const auto a = account_of(key); // kept alive: accounts_ may be emptied meanwhile
    for (;;) {
        const auto now = clock::now();
        if (const auto d = decide_here(*a, now, spend)) co_return *d;
        if (now < away_until_) {
            if (settings_.closed_without_redis) throw system_error(redis::errc::not_connected);
            co_return decision{};
        }
        if (a->question.is_taken()) { // it asks for everybody who waits
            co_await a->question.wait();
            continue;
        }
        const auto mine = a->question.take();
        const auto waiting = static_cast<std::int64_t>(a->question.waiting());
        const auto wanted =
            spend ? std::max(std::clamp(a->left / share, std::int64_t{1}, most_at_once), waiting + 1) : 0;
        try {
            co_await ask(key, *a, *policy.limit, wanted);
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            errors_.add();
            away_until_ = clock::now() + pause_without_redis;
            log_.warn("rate_limits_unknown", {{"error", e.what()}});
            continue;
        }
        if (!spend) {
            decision d;
            d.is_known = true;
            d.left = a->left + a->permits;
            d.allowed = d.left > 0;
            d.until_full = std::chrono::ceil<std::chrono::milliseconds>(a->full_at - clock::now());
            d.retry_after = std::chrono::ceil<std::chrono::milliseconds>(
                std::max(a->denied_until - clock::now(), clock::duration{0}));
            co_return d;
        }
    }
}

task<rate_limiter::decision> rate_limiter::take(rate_policy policy, std::string who) {
    return settle(policy, std::move(who), true);
}

task<rate_limiter::decision> rate_limiter::look(rate_policy policy, std::string who) {
    return settle(policy, std::move(who), false);
}

std::optional<rate_limiter::decision> rate_limiter::take_here(const route_limit& limit,
                                                              const std::string& who) {
    key_.assign(limit.key_prefix).append(who);
    const auto it = accounts_.find(key_);
    return it == accounts_.end() ? std::nullopt : decide_here(*it->second, clock::now(), true);
}

task<http::response> rate_limiter::guard(const route_limit& limit, http::request& r,
                                         const http::handler& next) {
    const auto& who = principal_of(r).id;
    auto d = take_here(limit, who);
    if (!d) d = co_await take(limit.policy, who);
    if (!d->allowed) {
        refusals_(limit.policy.name).add();
        throw rate_limited(limit.policy, *d);
    }
    http::response out;
    try {
        out = co_await next(r);
    } catch (const http::problem& p) { // refusals tell what is left, too
        out = p.to_response(r.request_id);
    }
    if (d->is_known) {
        out.headers.set("RateLimit-Policy", limit.field);
        out.headers.set("RateLimit", state_field(limit.policy, *d));
    }
    co_return out;
}

http::handler rate_limiter::limit(rate_policy policy, http::handler next) {
    if (!policy.limit) return next;
    // Shared, since a std::function copies what it holds.
    auto limit = std::make_shared<const route_limit>(
        route_limit{policy, policy_field(policy), fmt::format("limit:{}:", policy.name)});
    return [this, limit, next = std::move(next)](http::request& r) { return guard(*limit, r, next); };
}

} // namespace tiktrend::gateway
