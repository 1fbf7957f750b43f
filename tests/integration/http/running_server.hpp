#pragma once
#include <tiktrend/http/server.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace tiktrend::testing {

/// A server on a thread of its own, so that tests can talk to it with blocking sockets.
class running_server {
public:
    explicit running_server(http::router routes, http::server_options options = http::server_options{});
    ~running_server(); ///< stops it, at once if the test has not

    std::uint16_t port() const noexcept { return port_; }
    http::server& server() noexcept { return *server_; } ///< only inside on_thread()

    /// Runs `f` on the server's thread and waits for it.
    void on_thread(const std::function<void()>& f);
    std::size_t connections();
    std::size_t requests_in_flight();
    /// Starts server::stop(); wait_stopped() waits for its end and says how long it took from here.
    void begin_stop(std::chrono::milliseconds limit);
    bool wait_stopped(std::chrono::milliseconds at_most);
    /// What the server logged so far.
    std::string log();

private:
    struct log_lines;
    std::shared_ptr<log_lines> lines_;
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    std::unique_ptr<http::server> server_;
    std::uint16_t port_ = 0;
    std::thread thread_;
    std::shared_ptr<std::atomic<bool>> stopped_ = std::make_shared<std::atomic<bool>>(false);
    bool stopping_ = false;
};

} // namespace tiktrend::testing
