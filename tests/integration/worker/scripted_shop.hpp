#pragma once
#include <tiktrend/http/server.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tiktrend::worker_tests {

/// A shop that answers as the test says, from a thread of its own: one function a path, called there.
class scripted_shop {
public:
    using answer = std::function<http::response(const http::request&)>;
    explicit scripted_shop(std::map<std::string, answer> answers, const std::string& address = "127.0.0.1");
    ~scripted_shop();
    scripted_shop(const scripted_shop&) = delete;
    scripted_shop& operator=(const scripted_shop&) = delete;

    /// "127.0.0.1:PORT"
    std::string host() const;
    std::string url(const std::string& path) const { return "http://" + host() + path; }
    /// Targets asked for, in order; robots.txt is left out.
    std::vector<std::string> asked() const;

private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    mutable std::mutex mutex_;
    std::vector<std::string> asked_;
    std::unique_ptr<http::server> server_;
    std::thread thread_;
};

/// The value of a query parameter, or nothing; good enough for what workers send to tests.
std::string parameter(const http::request& r, const std::string& name);

} // namespace tiktrend::worker_tests
