#include "middleware/unavailable.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/postgres/error.hpp>
#include <tiktrend/redis/error.hpp>

namespace tiktrend::gateway {
namespace {

constexpr std::chrono::seconds retry_after{2};

/// Which dependency an error is about; empty: none, so it is a bug.
std::string_view dependency_of(const error_code& e) {
    if (e.category() == redis::category()) return "redis";
    if (e.category() == postgres::category() && postgres::is_unavailable(e)) return "postgresql";
    if (e == errc::timed_out || e == errc::overloaded || e == errc::stopped) return "a dependency";
    return {};
}

task<http::response> guard(const logger& log, http::request& r, const http::handler& next) {
    std::string what;
    error_code code;
    try {
        co_return co_await next(r);
    } catch (const system_error& e) {
        if (dependency_of(e.code()).empty()) throw;
        code = e.code();
        what = e.what();
    }
    const auto dependency = dependency_of(code);
    log.warn("dependency_unavailable",
             {{"request_id", r.request_id}, {"route", r.route}, {"dependency", dependency}, {"error", what}});
    throw http::problem(503, "temporary_reduced_capacity",
                        "The service cannot do this right now. Try again in a moment.")
        .with_type("https://iana.org/assignments/http-problem-types#temporary-reduced-capacity")
        .with_retry_after(retry_after);
}

} // namespace

http::middleware unavailable_as_503(logger log) {
    return
        [log = std::move(log)](http::request& r, const http::handler& next) { return guard(log, r, next); };
}

} // namespace tiktrend::gateway
