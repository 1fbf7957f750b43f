#pragma once
#include <tiktrend/base/asio.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <unordered_map>

namespace tiktrend::fetch {

/// libcurl's multi handle driven by Asio: its sockets are watched by the executor's reactor and its timer is
/// an Asio timer (https://curl.se/libcurl/c/libcurl-multi.html, "multi_socket"). Knows nothing of HTTP.
class curl_driver {
public:
    struct limits {
        long per_host;
        long total;
    };
    using done_handler = std::function<void(CURL*, CURLcode)>;

    /// `on_done` is called once for each handle that ends by itself; the handle was removed before.
    curl_driver(asio::any_io_executor executor, limits l, done_handler on_done);
    ~curl_driver();
    curl_driver(const curl_driver&) = delete;
    curl_driver& operator=(const curl_driver&) = delete;

    /// The transfer starts from the event loop, not inside add().
    void add(CURL* easy);
    /// Ends a transfer; its connection is closed when it was in mid-transfer. Not from inside a libcurl
    /// callback.
    void remove(CURL* easy);

private:
    struct watch;
    static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* watch);
    static int on_timer(CURLM* multi, long timeout_ms, void* self);
    void update(curl_socket_t fd, int what);
    void arm(const std::shared_ptr<watch>& w);
    void act(curl_socket_t fd, int events);

    asio::any_io_executor executor_;
    done_handler on_done_;
    std::shared_ptr<curl_driver*> alive_; ///< handlers that outlive the driver find null in it
    asio::steady_timer timer_;
    std::unordered_map<curl_socket_t, std::shared_ptr<watch>> watches_;
    CURLM* multi_;
};

} // namespace tiktrend::fetch
