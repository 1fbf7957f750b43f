#include "scripted_shop.hpp"

#include <tiktrend/http/query.hpp>
#include <tiktrend/http/router.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

namespace tiktrend::worker_tests {
namespace {

using namespace std::chrono_literals;

task<http::response> ready(http::response r) {
    co_return r;
}

} // namespace

scripted_shop::scripted_shop(std::map<std::string, answer> answers, const std::string& address) {
    auto routes = std::make_shared<http::router>();
    for (auto& entry : answers)
        routes->add(http::method::get, entry.first, [this, make = std::move(entry.second)](http::request& r) {
            {
                const std::lock_guard lock{mutex_};
                asked_.push_back(r.target);
            }
            return ready(make(r));
        });
    http::server_options options;
    options.address = address;
    options.max_connections_per_address = 0;
    server_ = std::make_unique<http::server>(context_.get_executor(), std::move(routes), options);
    server_->start();
    thread_ = std::thread{[this] { context_.run(); }};
}

scripted_shop::~scripted_shop() {
    asio::co_spawn(context_, server_->stop(std::chrono::steady_clock::now() + 200ms), asio::use_future).get();
    work_.reset();
    thread_.join();
}

std::string scripted_shop::host() const {
    return "127.0.0.1:" + std::to_string(server_->port());
}

std::vector<std::string> scripted_shop::asked() const {
    const std::lock_guard lock{mutex_};
    return asked_;
}

std::string parameter(const http::request& r, const std::string& name) {
    if (const auto pairs = http::parse_query(r.query))
        for (const auto& [key, value] : *pairs)
            if (key == name) return value;
    return {};
}

} // namespace tiktrend::worker_tests
