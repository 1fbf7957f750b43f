#include "status_routes.hpp"

#include <boost/json.hpp>

#include <memory>

namespace tiktrend::worker {
namespace {

namespace json = boost::json;

http::response answer(int status, const json::object& body) {
    auto r = http::response::json(status, json::serialize(body));
    r.headers.set("Cache-Control", "no-store");
    return r;
}

task<http::response> live() {
    co_return answer(200, {{"status", "ok"}});
}

task<http::response> ready(std::shared_ptr<const status_source> source, bool always_ok) {
    json::object checks;
    bool is_ok = true;
    for (const auto& r : source->check()) {
        json::object entry{{"status", r.is_ok ? "up" : "down"}};
        if (!r.is_ok && !r.detail.empty()) entry["detail"] = r.detail;
        checks[r.name] = std::move(entry);
        is_ok = is_ok && r.is_ok;
    }
    const bool is_draining = source->is_draining();
    const bool is_ready = is_ok && !is_draining;
    co_return answer(is_ready || always_ok ? 200 : 503, {{"status", is_draining ? "draining"
                                                                    : is_ok     ? "ok"
                                                                                : "unavailable"},
                                                         {"checks", std::move(checks)}});
}

task<http::response> metrics(const observe::registry& registry, const http::request& r) {
    auto text = registry.expose(r.headers.get("accept"));
    http::response out;
    out.headers.set("Content-Type", text.content_type);
    out.headers.set("Cache-Control", "no-store");
    out.body = std::move(text.body);
    co_return out;
}

} // namespace

http::router status_routes(const observe::registry& registry, status_source source) {
    const auto shared = std::make_shared<const status_source>(std::move(source));
    http::router routes;
    routes.add(http::method::get, "/health/live", [](http::request&) { return live(); });
    routes.add(http::method::get, "/health/ready", [shared](http::request&) { return ready(shared, false); });
    routes.add(http::method::get, "/health", [shared](http::request&) { return ready(shared, true); });
    routes.add(http::method::get, "/metrics", [&registry](http::request& r) { return metrics(registry, r); });
    return routes;
}

} // namespace tiktrend::worker
