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

task<http::response> enter(std::shared_ptr<door> d, http::request& r, const http::handler& next) {
    if (r.path.starts_with("/health")) co_return co_await next(r);
    if (d->inside >= d->limit) {
        d->refused.add();
        co_return http::problem(503, "overloaded",
                                "Too many requests are being worked on. Try again in a moment.")
            .with_type("https://iana.org/assignments/http-problem-types#temporary-reduced-capacity")
            .with_retry_after(std::chrono::seconds{1})
            .to_response(r.request_id);
    }
    struct counted {
        std::size_t& n;
        explicit counted(std::size_t& c) : n{++c} {}
        ~counted() { --n; }
    } const inside{d->inside};
    co_return co_await next(r);
}

} // namespace

http::middleware admit_at_most(std::size_t limit, observe::registry& metrics) {
    auto d = std::make_shared<door>(
        door{limit, 0,
             metrics.make_counter("http_overload_refusals_total",
                                  "Requests refused since too many were being worked on.")});
    return [d](http::request& r, const http::handler& next) {
        return d->limit == 0 ? next(r) : enter(d, r, next);
    };
}

} // namespace tiktrend::gateway
