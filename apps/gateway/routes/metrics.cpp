#include "routes/metrics.hpp"

namespace tiktrend::gateway {
namespace {

task<http::response> answer(const observe::registry& registry, const std::function<task<void>()>& before,
                            const http::request& r) {
    co_await before();
    auto text = registry.expose(r.headers.get("accept"));
    http::response response;
    response.headers.set("Content-Type", text.content_type);
    response.headers.set("Cache-Control", "no-store");
    response.body = std::move(text.body);
    co_return response;
}

} // namespace

http::handler metrics(const observe::registry& registry, std::function<task<void>()> before) {
    return [&registry, before = std::move(before)](http::request& r) { return answer(registry, before, r); };
}

} // namespace tiktrend::gateway
