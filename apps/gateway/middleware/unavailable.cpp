#include "middleware/unavailable.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/postgres/error.hpp>
#include <tiktrend/redis/error.hpp>

#include <exception>
#include <optional>

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

/// What made the handler fail, if it is a dependency's unavailability.
std::optional<system_error> unavailability(const std::exception_ptr& failure) {
    if (!failure) return std::nullopt;
    try {
        std::rethrow_exception(failure);
    } catch (const system_error& e) {
        if (!dependency_of(e.code()).empty()) return e;
    } catch (...) { // a bug, or a problem of its own: not ours to judge
    }
    return std::nullopt;
}

/// The router turns what a handler throws into a 500 with `failure` set, before middleware sees it.
task<http::response> guard(const logger& log, http::request& r, const http::handler& next) {
    auto response = co_await next(r);
    const auto cause = unavailability(response.failure);
    if (!cause) co_return response;
    log.warn("dependency_unavailable", {{"request_id", r.request_id},
                                        {"route", r.route},
                                        {"dependency", dependency_of(cause->code())},
                                        {"error", cause->what()}});
    co_return http::problem(503, "temporary_reduced_capacity",
                            "The service cannot do this right now. Try again in a moment.")
        .with_type("https://iana.org/assignments/http-problem-types#temporary-reduced-capacity")
        .with_retry_after(retry_after)
        .to_response(r.request_id);
}

} // namespace

http::middleware unavailable_as_503(logger log) {
    return
        [log = std::move(log)](http::request& r, const http::handler& next) { return guard(log, r, next); };
}

} // namespace tiktrend::gateway
