#include "middleware/admission.hpp"

#include <tiktrend/http/problem.hpp>

#include <memory>

namespace tiktrend::gateway {
namespace {

struct door {
    std::size_t limit;
    std::size_t inside = 0;
    observe::counter refused;
};

bool counts(const http::request& r) noexcept {
    return !r.path.starts_with("/health");
}

std::optional<http::response> enter(door& d, const http::request& r) {
    if (!counts(r)) return std::nullopt;
    if (d.inside < d.limit) {
        ++d.inside;
        return std::nullopt;
    }
    d.refused.add();
    return http::problem(503, "overloaded", "Too many requests are being worked on. Try again in a moment.")
        .with_type("https://iana.org/assignments/http-problem-types#temporary-reduced-capacity")
        .with_retry_after(std::chrono::seconds{1})
        .to_response(r.request_id);
}

} // namespace

http::filter admit_at_most(std::size_t limit, observe::registry& metrics) {
    auto d = std::make_shared<door>(
        door{limit, 0,
             metrics.make_counter("http_overload_refusals_total",
                                  "Requests refused since too many were being worked on.")});
    http::filter f;
    if (limit == 0) return f;
    f.before = [d](http::request& r) { return enter(*d, r); };
    f.after = [d](http::request& r, http::response&) {
        if (counts(r)) --d->inside;
    };
    return f;
}

} // namespace tiktrend::gateway
