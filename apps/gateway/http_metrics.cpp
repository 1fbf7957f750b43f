#include "http_metrics.hpp"

#include "middleware/authenticate.hpp"

#include <tiktrend/observe/trace_context.hpp>

namespace tiktrend::gateway {
namespace {

/// `endpoint` is the route's template, so that ids do not become labels; what matched no route is "none".
std::string_view endpoint_of(const http::request& r) {
    return r.route.empty() ? std::string_view{"none"} : r.route;
}

/// The text of a status code without allocating; codes outside 100 … 599 are not sent.
class status_text {
public:
    explicit status_text(int status) noexcept
        : digits_{static_cast<char>('0' + status / 100 % 10), static_cast<char>('0' + status / 10 % 10),
                  static_cast<char>('0' + status % 10)} {}
    operator std::string_view() const noexcept {
        return {digits_, sizeof digits_};
    } // NOLINT(google-explicit-constructor)

private:
    char digits_[3];
};

} // namespace

http_metrics::http_metrics(observe::registry& r)
    : requests_{r.counters("http_requests_total", "HTTP requests answered.",
                           {"method", "endpoint", "status"})},
      durations_{r.histograms("http_request_duration_seconds",
                              "Time from the end of a request's head until its answer is made.",
                              {"method", "endpoint"})} {}

void http_metrics::record(const http::server_options::finished& f) {
    const auto method = http::to_string(f.req.method);
    const auto endpoint = endpoint_of(f.req);
    requests_(method, endpoint, status_text{f.status}).add();
    durations_(method, endpoint).observe(f.elapsed);
}

void write_access_log(const logger& log, const http::server_options::finished& f) {
    if (!log.enabled(log_level::info)) return;
    if (f.status < 300 && f.req.route.starts_with("/health")) return;
    const auto* who = f.req.attached<principal>();
    const auto parent = f.req.headers.get("traceparent");
    const auto trace = parent.empty() ? std::nullopt : observe::parse_traceparent(parent);
    log.info("http_request", {{"request_id", f.req.request_id},
                              {"trace_id", trace ? std::string_view{trace->trace_id} : std::string_view{}},
                              {"method", f.req.method_text},
                              {"route", f.req.route},
                              {"path", f.req.path},
                              {"status", f.status},
                              {"duration_ms", std::chrono::duration<double, std::milli>(f.elapsed).count()},
                              {"bytes_in", f.req.bytes_in},
                              {"bytes_out", f.bytes_out},
                              {"client_ip", f.req.remote_address},
                              {"user_agent", f.req.headers.get("user-agent")},
                              {"cache", f.answer.get("X-Cache")},
                              {"principal", who ? std::string_view{who->id} : std::string_view{}}});
}

} // namespace tiktrend::gateway
