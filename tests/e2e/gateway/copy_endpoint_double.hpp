#pragma once
#include "running_server.hpp"

#include <deque>
#include <mutex>
#include <string>

namespace tiktrend::e2e {

/// An OpenAI-compatible endpoint that behaves as a test says: it really speaks HTTP, and writes its answers
/// from what it was asked.
class copy_endpoint_double {
public:
    struct step {
        enum class what { answer, status, silence, garbage, cut_stream };
        what how = what::answer;
        int status = 500;
        std::string retry_after;
    };
    copy_endpoint_double();

    std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()) + "/v1"; }
    /// The next calls end so, in order; after that all are answered.
    void then(std::initializer_list<step> steps);
    std::size_t calls();
    std::string last_body();
    std::string last_authorization();

private:
    task<http::response> complete(http::request& r);
    http::router routes();
    step next(const http::request& r);

    std::mutex mutex_;
    std::deque<step> steps_;
    std::size_t calls_ = 0;
    std::string body_, authorization_;
    testing::running_server server_;
};

} // namespace tiktrend::e2e
