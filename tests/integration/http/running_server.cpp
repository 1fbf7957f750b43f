#include "running_server.hpp"

#include <tiktrend/testing/process.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <mutex>
#include <stdexcept>

namespace tiktrend::testing {

struct running_server::log_lines {
    std::mutex mutex;
    std::string text;
};

running_server::running_server(http::router routes, http::server_options options)
    : lines_{std::make_shared<log_lines>()} {
    options.log = logger::to_sink(log_level::debug, [lines = lines_](std::string_view line) {
        const std::scoped_lock lock{lines->mutex};
        lines->text.append(line) += '\n';
    });
    server_ = std::make_unique<http::server>(
        context_.get_executor(), std::make_shared<const http::router>(std::move(routes)), options);
    server_->start();
    port_ = server_->port();
    thread_ = std::thread{[this] { context_.run(); }};
}

running_server::~running_server() {
    if (!stopping_) begin_stop(std::chrono::milliseconds{0});
    if (!wait_stopped(std::chrono::seconds{20})) std::terminate(); // a hang must not pass in silence
    work_.reset();
    thread_.join();
}

void running_server::on_thread(const std::function<void()>& f) {
    std::promise<void> done;
    asio::post(context_, [&] {
        f();
        done.set_value();
    });
    if (done.get_future().wait_for(std::chrono::seconds{20}) != std::future_status::ready)
        throw std::runtime_error("the server's thread does not answer");
}

std::size_t running_server::connections() {
    std::size_t n = 0;
    on_thread([&] { n = server_->connections(); });
    return n;
}

std::size_t running_server::requests_in_flight() {
    std::size_t n = 0;
    on_thread([&] { n = server_->requests_in_flight(); });
    return n;
}

void running_server::begin_stop(std::chrono::milliseconds limit) {
    stopping_ = true;
    *stopped_ = false;
    asio::post(context_, [this, limit] {
        asio::co_spawn(context_, server_->stop(std::chrono::steady_clock::now() + limit),
                       [flag = stopped_](const std::exception_ptr& e) {
                           if (e) std::rethrow_exception(e);
                           *flag = true;
                       });
    });
}

bool running_server::wait_stopped(std::chrono::milliseconds at_most) {
    return poll_until([this] { return stopped_->load(); }, at_most);
}

std::string running_server::log() {
    const std::scoped_lock lock{lines_->mutex};
    return lines_->text;
}

} // namespace tiktrend::testing
