#pragma once
#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/error.hpp>
#include <tiktrend/base/log.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::worker {

/// Source id → proxy URLs; "*" is for the sources without an entry of their own.
using proxy_lists = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Reads "shopify.storefront=http://a:3128 http://b:3128, *=socks5h://c:1080" entries. The error says what is
/// wrong, without passwords.
result<proxy_lists, std::string> parse_proxies(const std::vector<std::string>& entries);

/// The password of "http://user:password@host:port"; empty without one.
std::string_view password_of(std::string_view proxy) noexcept;

/// Which proxy a job uses. One job keeps to one proxy (cookies and addresses go together), many jobs spread
/// over all (rendezvous hashing: a proxy that rests moves its own jobs only). One that fails rests for a
/// while that doubles with each failure. Kept per process, and a job that changes workers keeps its proxy.
/// Belongs to one executor.
class proxy_pool {
public:
    struct options {
        options() {}
        std::chrono::milliseconds first_rest{30'000};
        std::chrono::milliseconds last_rest{1'800'000};
        logger log;
    };
    proxy_pool(proxy_lists lists, const wall_clock& clock, options o = options{});

    /// Empty: the source has none. The error: all of them rest, for so long.
    result<std::string, std::chrono::milliseconds> choose(std::string_view source,
                                                          std::string_view job) const;

    /// It could not be reached or did not serve.
    void failed(const std::string& proxy);
    /// Nobody uses it for so long, e.g. because the shop refused it.
    void rest(const std::string& proxy, std::chrono::milliseconds duration);

private:
    struct state {
        std::int64_t rests_until_ms = 0;
        std::chrono::milliseconds next_rest{0};
        std::int64_t failed_at_ms = 0;
    };
    proxy_lists lists_;
    const wall_clock& clock_;
    options options_;
    std::map<std::string, state, std::less<>> states_;
};

} // namespace tiktrend::worker
