#pragma once
#include <tiktrend/redis/client.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace tiktrend::redis {

/// One push connection: pub/sub messages, and key invalidations by CLIENT TRACKING in broadcast mode on this
/// very connection (redis.io/docs/manual/client-side-caching). Reconnects by itself and says so, since
/// whatever was missed meanwhile is unknown. Sentinel: connected to the master. Cluster: to any node, since
/// messages reach all of them; keys cannot be tracked there, since each node tells of its own alone.
class subscriber {
public:
    /// What is called with what was heard.
    struct handlers {
        handlers() {}
        std::function<void(std::string_view channel, std::string_view message)> on_message;
        std::function<void(std::string_view key)> on_invalidate; ///< a tracked key changed or expired
        std::function<void()> on_flush; ///< FLUSHALL, or the connection was lost: everything may have changed
        std::function<void()> on_connected; ///< subscribed (again)
    };
    subscriber(asio::any_io_executor executor, address where, handlers h,
               client_options options = client_options{});
    ~subscriber();
    subscriber(const subscriber&) = delete;
    subscriber& operator=(const subscriber&) = delete;

    /// Before start(): channels to subscribe to, key prefixes to track (they must not overlap;
    /// std::logic_error on a cluster).
    void subscribe(std::string channel);
    void track(std::string prefix);

    void start();
    task<void> stop();
    bool is_connected() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::redis
