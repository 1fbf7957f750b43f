#include "gateway/copy_endpoint_double.hpp"

#include <tiktrend/base/timeout.hpp>

namespace tiktrend::e2e {
namespace {

constexpr std::string_view usage =
    R"("usage":{"prompt_tokens":120,"completion_tokens":7,"total_tokens":127})";

std::string chunk(std::string_view text) {
    return R"({"id":"c1","model":"writer-1","choices":[{"index":0,"delta":{"content":")" + std::string{text} +
           R"("}}]})";
}

task<void> write_stream(bool cut, http::event_stream& out) {
    co_await out.send(
        {}, {}, R"({"id":"c1","model":"writer-1","choices":[{"index":0,"delta":{"role":"assistant"}}]})");
    for (const auto* word : {"A lamp ", "that shines ", "gently."}) {
        co_await out.send({}, {}, chunk(word));
        if (cut) co_return;
    }
    co_await out.send({}, {}, R"({"id":"c1","model":"writer-1","choices":[],)" + std::string{usage} + '}');
    co_await out.send({}, {}, "[DONE]");
}

} // namespace

copy_endpoint_double::copy_endpoint_double() : server_{routes()} {}

http::router copy_endpoint_double::routes() {
    http::router r;
    r.add(http::method::post, "/v1/chat/completions", [this](http::request& q) { return complete(q); });
    return r;
}

void copy_endpoint_double::then(std::initializer_list<step> steps) {
    const std::scoped_lock lock{mutex_};
    steps_.assign(steps);
}
std::size_t copy_endpoint_double::calls() {
    const std::scoped_lock lock{mutex_};
    return calls_;
}
std::string copy_endpoint_double::last_body() {
    const std::scoped_lock lock{mutex_};
    return body_;
}
std::string copy_endpoint_double::last_authorization() {
    const std::scoped_lock lock{mutex_};
    return authorization_;
}

copy_endpoint_double::step copy_endpoint_double::next(const http::request& r) {
    const std::scoped_lock lock{mutex_};
    ++calls_;
    body_ = r.body;
    authorization_ = r.headers.get("Authorization");
    if (steps_.empty()) return {};
    auto s = steps_.front();
    steps_.pop_front();
    return s;
}

task<http::response> copy_endpoint_double::complete(http::request& r) {
    const auto s = next(r);
    if (s.how == step::what::silence) co_await sleep_for(std::chrono::seconds{20});
    if (s.how == step::what::garbage) co_return http::response::json(200, R"({"choices":[]})");
    if (s.how == step::what::status) {
        auto out = http::response::json(s.status, R"({"error":{"message":"the endpoint's own words"}})");
        if (!s.retry_after.empty()) out.headers.set("Retry-After", s.retry_after);
        co_return out;
    }
    if (r.body.find(R"("stream":true)") != std::string::npos) {
        http::response out;
        out.stream = [cut = s.how == step::what::cut_stream](http::event_stream& e) {
            return write_stream(cut, e);
        };
        co_return out;
    }
    co_return http::response::json(
        200,
        R"({"id":"c1","model":"writer-1","choices":[{"index":0,"message":{"role":"assistant","content":"A lamp that shines gently."},"finish_reason":"stop"}],)" +
            std::string{usage} + '}');
}

} // namespace tiktrend::e2e
