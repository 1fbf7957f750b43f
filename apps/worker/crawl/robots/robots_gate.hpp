#pragma once
#include "../politeness.hpp"
#include "robots_rules.hpp"

#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/redis/client.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace tiktrend::worker {

/// What robots.txt says about one URL.
struct robots_verdict {
    enum class kind {
        allowed,
        disallowed,
        unavailable, ///< not known now, which means no (RFC 9309 section 2.3.1.4); ask again after
                     ///< `retry_after`
    };
    kind what = kind::allowed;
    std::chrono::milliseconds crawl_delay{0}; ///< as the file asks; 0: it does not
    std::chrono::milliseconds retry_after{0};
    bool is_for_proxy = false; ///< unavailable since the proxy did not serve; another one may
    std::string reason;        ///< for people, unless allowed
};

struct robots_gate_options {
    robots_gate_options() {}
    std::string product = "TikTrendBot";         ///< whose groups count, see product_token()
    std::string key_prefix = "tiktrend:robots:"; ///< one string per origin, shared by the workers
    std::chrono::milliseconds fresh = std::chrono::hours{24}; ///< a file is used for so long (section 2.4) …
    std::chrono::milliseconds keep =
        std::chrono::hours{7 * 24};                  ///< … and this long while no newer one can be had
    std::chrono::milliseconds first_retry{60'000};   ///< of a file that cannot be had; doubles …
    std::chrono::milliseconds last_retry{3'600'000}; ///< … up to this
    std::chrono::milliseconds fetch_limit{30'000};
    std::chrono::milliseconds redis_limit{500};
    std::size_t max_origins = 2'000;    ///< parsed files in memory; the longest unused one goes first
    std::size_t max_memory = 32U << 20; ///< bytes that they take together, likewise
    std::function<void(std::string_view result)> on_fetch; ///< "found", "none", "unavailable"
    logger log;
};

/// Reads each origin's robots.txt once a day and answers for its URLs. Found: parsed. 4xx but 429, or too
/// many redirects: everything is allowed. 429, 5xx or no answer: the older file while there is one, else
/// nothing is allowed for now (RFC 9309 section 2.3.1). A URL that may not be fetched at all (address guard,
/// scheme) is left to the page's own fetch, which says why.
///
/// Concurrent questions about one origin cause one fetch. Files are shared over `cache`; with that Redis gone
/// each worker fetches its own. The fetch itself keeps the host's politeness.
class robots_gate {
public:
    /// All references must outlive the calls. `cache` may evict.
    robots_gate(fetch::client& fetcher, politeness& polite, redis::client& cache, const wall_clock& clock,
                robots_gate_options options = robots_gate_options{});

    /// `proxy`: the file is fetched through it, as the page will be; empty: none. Cancellation: terminal;
    /// another caller then fetches.
    task<robots_verdict> check(const fetch::url& where, host_rules rules,
                               std::chrono::milliseconds longest_pause, const std::string& proxy = {});

    std::size_t memory() const noexcept { return memory_; } ///< bytes of parsed files, about

private:
    struct file {
        robots_rules rules;
        std::int64_t fetched_at_ms = 0;
    };
    struct origin_state {
        explicit origin_state(const asio::any_io_executor& ex) : changed{ex} {}
        std::shared_ptr<const file> known;
        bool is_loading = false;
        event changed;                ///< of is_loading
        std::size_t bytes = 0;        ///< of `known`, as counted in memory_
        std::int64_t retry_at_ms = 0; ///< after a file could not be had
        std::chrono::milliseconds backoff{0};
        std::string trouble;                    ///< why it could not be had
        std::list<std::string>::iterator place; ///< in used_
    };
    using origin_ptr = std::shared_ptr<origin_state>;

    origin_ptr state_of(const std::string& origin);
    void know(const std::string& origin, origin_state& s, std::shared_ptr<const file> f);
    void forget_longest_unused();
    bool is_fresh(const file* f, std::int64_t now) const noexcept;
    bool is_usable(const file* f, std::int64_t now) const noexcept;
    /// False: the proxy did not serve, and nothing is known.
    task<bool> load(const std::string& origin, origin_state& s, host_rules rules,
                    std::chrono::milliseconds longest_pause, const std::string& proxy);
    task<std::shared_ptr<const file>> from_cache(const std::string& origin);
    task<void> to_cache(const std::string& origin, std::int64_t at_ms, std::string_view text);
    struct fetched {
        std::optional<std::string> text;   ///< empty where everything is allowed
        std::string trouble;               ///< why there is none
        std::chrono::milliseconds wait{0}; ///< that the host asks for
        bool is_for_proxy = false;
    };
    task<fetched> download(const std::string& origin, const std::string& proxy);
    robots_verdict verdict_of(const file& f, const fetch::url& where) const;

    fetch::client& fetcher_;
    politeness& polite_;
    redis::client& cache_;
    const wall_clock& clock_;
    robots_gate_options options_;
    std::unordered_map<std::string, origin_ptr> origins_;
    std::list<std::string> used_; ///< newest first
    std::size_t memory_ = 0;
};

} // namespace tiktrend::worker
