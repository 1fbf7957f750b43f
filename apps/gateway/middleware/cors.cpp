#include "middleware/cors.hpp"

#include <tiktrend/http/compression.hpp>

#include <algorithm>
#include <memory>

namespace tiktrend::gateway {
namespace {

constexpr std::string_view request_headers = "Accept, Authorization, Content-Type, Idempotency-Key, "
                                             "If-None-Match, Last-Event-ID, X-Consistency-Token, "
                                             "traceparent, tracestate";
constexpr std::string_view exposed =
    "ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Cache, "
    "X-Consistency-Token, X-Request-Id";

struct rules {
    std::vector<std::string> origins; ///< sorted
    bool any = false;
    std::string max_age;

    bool allows(std::string_view origin) const {
        return any || std::binary_search(origins.begin(), origins.end(), origin);
    }
};

void add_fields(const rules& r, const http::request& q, http::response& answer) {
    if (!r.any) http::add_vary(answer.headers, "Origin");
    const auto origin = q.headers.get("Origin");
    if (origin.empty() || !r.allows(origin)) return;
    answer.headers.set("Access-Control-Allow-Origin", r.any ? std::string_view{"*"} : origin);
    if (q.method != http::method::options || !q.headers.has("Access-Control-Request-Method")) {
        answer.headers.set("Access-Control-Expose-Headers", exposed);
        return;
    }
    // The router's own answer to OPTIONS knows the path's methods.
    if (const auto allow = answer.headers.get("Allow"); !allow.empty())
        answer.headers.set("Access-Control-Allow-Methods", std::string{allow});
    answer.headers.set("Access-Control-Allow-Headers", request_headers);
    answer.headers.set("Access-Control-Max-Age", r.max_age);
}

} // namespace

bool is_cors_origin(std::string_view text) noexcept {
    if (text == "*") return true;
    const auto scheme = text.starts_with("https://") ? 8U : text.starts_with("http://") ? 7U : 0U;
    if (scheme == 0) return false;
    text.remove_prefix(scheme);
    return !text.empty() && text.size() <= 260 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
               c == '[' || c == ']';
    });
}

http::filter allow_origins(cors_settings settings) {
    auto r = std::make_shared<rules>();
    r->origins = std::move(settings.origins);
    std::sort(r->origins.begin(), r->origins.end());
    r->any = std::find(r->origins.begin(), r->origins.end(), "*") != r->origins.end();
    r->max_age = std::to_string(settings.max_age.count());
    http::filter f;
    f.after = [r = std::shared_ptr<const rules>{std::move(r)}](http::request& q, http::response& answer) {
        add_fields(*r, q, answer);
    };
    return f;
}

} // namespace tiktrend::gateway
