#pragma once
#include "config.hpp"

#include <tiktrend/base/asio.hpp>
#include <tiktrend/cache/key.hpp>
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/postgres/router.hpp>
#include <tiktrend/redis/client.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::cache {
class response_cache;
}

namespace tiktrend::gateway {

/// Product answers as bytes that are ready to send (design section 8): near cache, then Redis, then the
/// database, one loader at a time per key, invalidated by the worker after its commits. With the cache's
/// Redis gone, answers come from the database.
class product_cache {
public:
    /// What a read of the database gave. No body: there is no such thing (remembered too, for a shorter
    /// time).
    struct loaded {
        std::optional<std::string> body;
        postgres::read_point point;
    };
    /// It may outlive the request that started it, as others may wait for the same answer: it owns what it
    /// needs.
    using loader = std::function<task<loaded>()>;

    struct answer {
        std::shared_ptr<const std::string> body; ///< null: there is no such thing
        std::shared_ptr<const std::string> gzip; ///< null if the body is too small to be worth it
        std::string_view etag;                   ///< weak, of the body; lives as long as `body` is held
        std::string_view how;                    ///< X-Cache: hit, miss, coalesced, bypass, stale
    };

    /// What else follows the invalidation channel (response_cache_options).
    struct followers {
        followers() {}
        std::function<void(std::string_view guard)> on_changed;
        std::function<void()> on_all_changed;
    };
    product_cache(redis::client& client, const config& settings, observe::registry& metrics, logger log,
                  followers also = followers{});
    ~product_cache();

    void start();
    task<void> stop();

    /// Names a list by its canonical query and cursor.
    static cache::key list_key(std::string_view text);
    /// The list if this process holds it: no suspension, no loader to build. The hottest path of the gateway.
    std::optional<answer> find_list(const cache::key& key);
    /// A list. Every committed change of any product forgets all lists at once (one generation).
    task<answer> list(cache::key key, loader load);
    /// Any answer, with a life of its own.
    task<answer> get(cache::key key, std::chrono::milliseconds ttl, loader load);
    /// One product.
    task<answer> product(std::int64_t id, loader load);

    /// The cache itself, for answers of other scopes. It lives as long as this object.
    cache::response_cache& answers() noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::gateway
