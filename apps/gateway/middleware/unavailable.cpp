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

/// The router turns what a handler throws into a 500 with `failure` set, before filters see it.
void look_at(const logger& log, const http::request& r, http::response& answer) {
    const auto cause = unavailability(answer.failure);
    if (!cause) return;
    log.warn("dependency_unavailable", {{"request_id", r.request_id},
                                        {"route", r.route},
                                        {"dependency", dependency_of(cause->code())},
                                        {"error", cause->what()}});
    answer = http::problem(503, "temporary_reduced_capacity",
                           "The service cannot do this right now. Try again in a moment.")
                 .with_type("https://iana.org/assignments/http-problem-types#temporary-reduced-capacity")
                 .with_retry_after(retry_after)
                 .to_response(r.request_id);
}

} // namespace

http::filter unavailable_as_503(logger log) {
    http::filter f;
    f.after = [log = std::move(log)](http::request& r, http::response& answer) { look_at(log, r, answer); };
    return f;
}

} // namespace tiktrend::gateway
