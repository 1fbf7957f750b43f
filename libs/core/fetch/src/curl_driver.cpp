#include "curl_driver.hpp"

#include <boost/asio/post.hpp>

#include <new>

namespace tiktrend::fetch {

/// One socket that libcurl wants to hear about. The descriptor is borrowed: libcurl closes it.
struct curl_driver::watch {
    watch(const asio::any_io_executor& executor, curl_socket_t s) : fd{s}, descriptor{executor, s} {}
    curl_socket_t fd;
    asio::posix::stream_descriptor descriptor;
    bool wants_read = false;
    bool wants_write = false;
    bool is_reading = false; ///< a wait is in progress
    bool is_writing = false;
    bool is_removed = false;
};

curl_driver::curl_driver(asio::any_io_executor executor, limits l, done_handler on_done)
    : executor_{executor}, on_done_{std::move(on_done)}, alive_{std::make_shared<curl_driver*>(this)},
      timer_{executor} {
    [[maybe_unused]] static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = curl_multi_init();
    if (!multi_) throw std::bad_alloc{};
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &curl_driver::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &curl_driver::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, l.per_host);
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, l.total);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, l.total);
}

curl_driver::~curl_driver() {
    *alive_ = nullptr;
    curl_multi_cleanup(multi_); // closes idle connections and calls on_socket for each
    for (auto& [fd, w] : watches_) {
        w->is_removed = true;
        w->descriptor.release();
    }
}

void curl_driver::add(CURL* easy) {
    if (const auto code = curl_multi_add_handle(multi_, easy))
        throw std::runtime_error(curl_multi_strerror(code));
}

void curl_driver::remove(CURL* easy) {
    curl_multi_remove_handle(multi_, easy);
}

int curl_driver::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    static_cast<curl_driver*>(self)->update(fd, what);
    return 0;
}

int curl_driver::on_timer(CURLM*, long timeout_ms, void* self) {
    auto& driver = *static_cast<curl_driver*>(self);
    if (timeout_ms < 0) {
        driver.timer_.cancel();
        return 0;
    }
    // Through the loop at 0 too, since libcurl forbids acting from inside its callbacks; without the timer,
    // which would cost the kernel three calls for every transfer.
    if (timeout_ms == 0) {
        driver.timer_.cancel();
        asio::post(driver.executor_, [alive = driver.alive_] {
            if (*alive) (*alive)->act(CURL_SOCKET_TIMEOUT, 0);
        });
        return 0;
    }
    driver.timer_.expires_after(std::chrono::milliseconds{timeout_ms});
    driver.timer_.async_wait([alive = driver.alive_](const boost::system::error_code& ec) {
        if (!ec && *alive) (*alive)->act(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
}

void curl_driver::update(curl_socket_t fd, int what) {
    const auto it = watches_.find(fd);
    if (what == CURL_POLL_REMOVE) {
        if (it == watches_.end()) return;
        it->second->is_removed = true;
        it->second->descriptor.release(); // before libcurl closes it, so that the reactor forgets it in time
        watches_.erase(it);
        return;
    }
    std::shared_ptr<watch> w;
    if (it == watches_.end()) {
        w = std::make_shared<watch>(executor_, fd);
        watches_.emplace(fd, w);
    } else {
        w = it->second;
    }
    w->wants_read = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    w->wants_write = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    arm(w);
}

void curl_driver::arm(const std::shared_ptr<watch>& w) {
    using wait = asio::posix::stream_descriptor;
    if (w->wants_read && !w->is_reading) {
        w->is_reading = true;
        w->descriptor.async_wait(wait::wait_read, [alive = alive_, w](const boost::system::error_code& ec) {
            w->is_reading = false;
            if (ec == asio::error::operation_aborted || w->is_removed || !*alive) return;
            if (w->wants_read) (*alive)->act(w->fd, ec ? CURL_CSELECT_ERR : CURL_CSELECT_IN);
            if (!w->is_removed && *alive) (*alive)->arm(w);
        });
    }
    if (w->wants_write && !w->is_writing) {
        w->is_writing = true;
        w->descriptor.async_wait(wait::wait_write, [alive = alive_, w](const boost::system::error_code& ec) {
            w->is_writing = false;
            if (ec == asio::error::operation_aborted || w->is_removed || !*alive) return;
            if (w->wants_write) (*alive)->act(w->fd, ec ? CURL_CSELECT_ERR : CURL_CSELECT_OUT);
            if (!w->is_removed && *alive) (*alive)->arm(w);
        });
    }
}

void curl_driver::act(curl_socket_t fd, int events) {
    int running = 0;
    curl_multi_socket_action(multi_, fd, events, &running);
    int left = 0;
    while (CURLMsg* m = curl_multi_info_read(multi_, &left)) {
        if (m->msg != CURLMSG_DONE) continue;
        CURL* easy = m->easy_handle; // the message dies with remove
        const CURLcode code = m->data.result;
        curl_multi_remove_handle(multi_, easy);
        on_done_(easy, code);
    }
}

} // namespace tiktrend::fetch
