#include "proxy_pool.hpp"

#include <tiktrend/base/config_reader.hpp>
#include <tiktrend/catalog/digest.hpp>
#include <tiktrend/fetch/url.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace tiktrend::worker {
namespace {

constexpr std::string_view any_source = "*";

/// "http://host:port" and its kin; user and password may stand before the host.
bool is_proxy(std::string_view text) {
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos) return false;
    const auto scheme = text.substr(0, scheme_end);
    if (scheme != "http" && scheme != "https" && scheme != "socks5h") return false;
    auto rest = text.substr(scheme_end + 3);
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest = rest.substr(at + 1);
    if (rest.find(':') == std::string_view::npos) return false;
    const auto host = fetch::parse_url("http://" + std::string{rest} + '/');
    return host && host->target == "/";
}

} // namespace

std::string_view password_of(std::string_view proxy) noexcept {
    const auto begin = proxy.find("://");
    const auto at = proxy.rfind('@');
    if (begin == std::string_view::npos || at == std::string_view::npos) return {};
    const auto user = proxy.substr(begin + 3, at - begin - 3);
    const auto colon = user.find(':');
    return colon == std::string_view::npos ? std::string_view{} : user.substr(colon + 1);
}

result<proxy_lists, std::string> parse_proxies(const std::vector<std::string>& entries) {
    proxy_lists out;
    for (const auto& entry : entries) {
        const auto equals = entry.find('=');
        if (equals == std::string::npos || equals == 0) return std::string{"an entry without SOURCE="};
        auto& list = out[entry.substr(0, equals)];
        for (std::string_view rest = std::string_view{entry}.substr(equals + 1); !rest.empty();) {
            const auto blank = rest.find(' ');
            const auto proxy = rest.substr(0, blank);
            rest = blank == std::string_view::npos ? std::string_view{} : rest.substr(blank + 1);
            if (proxy.empty()) continue;
            if (!is_proxy(proxy)) return hide_password(proxy);
            list.emplace_back(proxy);
        }
        if (list.empty()) return entry.substr(0, equals) + " without a proxy";
    }
    return out;
}

proxy_pool::proxy_pool(proxy_lists lists, const wall_clock& clock, options o)
    : lists_{std::move(lists)}, clock_{clock}, options_{std::move(o)} {}

result<std::string, std::chrono::milliseconds> proxy_pool::choose(std::string_view source,
                                                                  std::string_view job) const {
    auto list = lists_.find(source);
    if (list == lists_.end()) list = lists_.find(any_source);
    if (list == lists_.end()) return std::string{};
    const auto now = clock_.now_ms();
    const std::string* best = nullptr;
    std::uint64_t best_weight = 0;
    auto first_back = std::numeric_limits<std::int64_t>::max();
    for (const auto& proxy : list->second) {
        if (const auto s = states_.find(proxy); s != states_.end() && s->second.rests_until_ms > now) {
            first_back = std::min(first_back, s->second.rests_until_ms);
            continue;
        }
        const auto weight = catalog::text_digest(job, catalog::text_digest(proxy));
        if (!best || weight > best_weight) {
            best = &proxy;
            best_weight = weight;
        }
    }
    if (best) return *best;
    return std::chrono::milliseconds{first_back - now};
}

void proxy_pool::failed(const std::string& proxy) {
    auto& s = states_[proxy];
    const auto now = clock_.now_ms();
    // What went well for longer than the longest rest starts afresh.
    if (s.failed_at_ms == 0 || now - s.failed_at_ms > 2 * options_.last_rest.count())
        s.next_rest = options_.first_rest;
    s.failed_at_ms = now;
    rest(proxy, s.next_rest);
    s.next_rest = std::min(s.next_rest * 2, options_.last_rest);
}

void proxy_pool::rest(const std::string& proxy, std::chrono::milliseconds duration) {
    auto& s = states_[proxy];
    s.rests_until_ms = std::max(s.rests_until_ms, clock_.now_ms() + duration.count());
    options_.log.warn("proxy_rests", {{"proxy", hide_password(proxy)}, {"ms", duration.count()}});
}

} // namespace tiktrend::worker
