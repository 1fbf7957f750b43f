#include "regions/forwarder.hpp"

#include <tiktrend/base/text.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/problem.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_whole_answer = 1U << 20; ///< longer ones pass through piece by piece
constexpr int max_hops = 3;
constexpr auto drain_poll = 250ms;
constexpr std::string_view pseudonym_prefix = "tiktrend-";

/// Fields of one connection (RFC 9110 section 7.6.1), and those that are made anew on each.
constexpr std::array<std::string_view, 14> not_passed_on{"Connection",
                                                         "Keep-Alive",
                                                         "Proxy-Connection",
                                                         "Proxy-Authenticate",
                                                         "Proxy-Authorization",
                                                         "TE",
                                                         "Trailer",
                                                         "Transfer-Encoding",
                                                         "Upgrade",
                                                         "Host",
                                                         "Expect",
                                                         "Content-Length",
                                                         "Date",
                                                         "X-Request-Id"};

bool is_listed(std::string_view list, std::string_view name) noexcept {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        const auto element = trim(list.substr(0, comma));
        list.remove_prefix(std::min(comma + 1, list.size()));
        if (http::equal_ignoring_case(element, name)) return true;
    }
    return false;
}

/// Those of `from` that belong to the message and not to the connection.
void pass_on(const http::headers& from, http::headers& to) {
    const auto connection = from.get("Connection");
    for (const auto f : from) {
        const bool kept = std::none_of(not_passed_on.begin(), not_passed_on.end(), [&](std::string_view n) {
            return http::equal_ignoring_case(n, f.name);
        });
        if (kept && !is_listed(connection, f.name)) to.add(f.name, f.value);
    }
}

http::origin origin_of(const region_settings& s) {
    auto o = http::parse_origin(s.primary_url);
    if (!o) throw std::invalid_argument("PRIMARY_URL is no http or https URL");
    return *o;
}

http::upstream_options options_of(const region_settings& s) {
    http::upstream_options o;
    o.ca_file = s.ca_file;
    o.keep = 64;
    return o;
}

/// Gateways of this kind that the request has passed, and whether `self` is one of them.
std::pair<int, bool> hops(const http::headers& h, std::string_view self) {
    int count = 0;
    bool was_here = false;
    for (const auto f : h) {
        if (!http::equal_ignoring_case(f.name, "Via")) continue;
        for (auto rest = f.value; !rest.empty();) {
            const auto at = rest.find(pseudonym_prefix);
            if (at == std::string_view::npos) break;
            rest.remove_prefix(at);
            const auto end = std::min(rest.find_first_of(", \t"), rest.size());
            was_here = was_here || rest.substr(0, end) == self;
            rest.remove_prefix(end);
            ++count;
        }
    }
    return {count, was_here};
}

task<void> pass_pieces(std::shared_ptr<http::upstream_answer> answer, http::event_stream& out) {
    for (;;) {
        auto piece = co_await answer->read();
        if (piece.empty()) co_return;
        co_await out.write(std::move(piece));
    }
}

task<void> until_drain(const http::event_stream& out) {
    while (!out.is_draining())
        co_await sleep_for(drain_poll);
}

task<void> capture(task<std::string> work, std::optional<std::string>& value, std::exception_ptr& failure) {
    try {
        value = co_await std::move(work);
    } catch (...) {
        failure = std::current_exception();
    }
}

/// As pass_pieces(), for server-sent events: they end when a drain begins, between two pieces, and the client
/// comes back to another gateway with its Last-Event-ID.
task<void> pass_events(std::shared_ptr<http::upstream_answer> answer, http::event_stream& out) {
    using namespace asio::experimental::awaitable_operators;
    while (!out.is_draining()) {
        std::optional<std::string> piece;
        std::exception_ptr failure;
        co_await (capture(answer->read(), piece, failure) || until_drain(out));
        if (out.is_draining()) co_return;
        if (failure) std::rethrow_exception(failure);
        if (piece->empty()) co_return;
        co_await out.write(std::move(*piece));
    }
}

bool are_events(const http::headers& h) {
    return h.get("Content-Type").starts_with("text/event-stream");
}

bool has_short_length(const http::headers& h) {
    const auto text = h.get("Content-Length");
    std::size_t n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    return ec == std::errc{} && end == text.data() + text.size() && n <= max_whole_answer;
}

http::problem unreachable(int status, std::string code, std::string detail) {
    return http::problem(status, std::move(code), std::move(detail)).with_retry_after(2s);
}

} // namespace

bool is_answered_here(const http::request& r) noexcept {
    using http::method;
    if (r.method == method::options) return true;
    if (r.method != method::get && r.method != method::head) return false;
    const auto below = [&](std::string_view top) {
        return r.path == top || (r.path.starts_with(top) && r.path.substr(top.size()).starts_with('/'));
    };
    return below("/products") || below("/categories") || below("/sources") || below("/health") ||
           below("/docs") || r.path == "/openapi.json";
}

forwarder::forwarder(asio::any_io_executor executor, const region_settings& settings, observe::registry& m,
                     logger log)
    : settings_{settings}, pseudonym_{std::string{pseudonym_prefix} + settings.name},
      primary_{std::move(executor), origin_of(settings), options_of(settings)},
      forwarded_{m.counters("forwarded_requests_total",
                            "Requests handed on to the primary region, by how that ended.", {"outcome"})},
      log_{std::move(log)} {}

http::middleware forwarder::forward_others() {
    return [this](http::request& r, const http::handler& next) {
        return is_answered_here(r) ? next(r) : forward(r);
    };
}

http::upstream_request forwarder::request_for(const http::request& r) const {
    http::upstream_request out;
    out.method = r.method_text;
    out.target = r.target;
    out.body = r.body;
    pass_on(r.headers, out.headers);
    out.headers.set("X-Request-Id", r.request_id);
    out.headers.set("X-Forwarded-For", r.remote_address);
    const std::string via{r.headers.get("Via")};
    out.headers.set("Via", (via.empty() ? "" : via + ", ") + "1.1 " + pseudonym_);
    return out;
}

task<http::response> forwarder::send(http::request& r) {
    const auto request = request_for(r);
    std::shared_ptr<http::upstream_answer> answer =
        co_await within(settings_.timeout, primary_.send(request));
    http::response out;
    out.status = answer->status;
    pass_on(answer->headers, out.headers);
    out.headers.add("Via", "1.1 " + pseudonym_);
    const bool has_body = answer->status != 204 && answer->status != 304 && r.method != http::method::head;
    if (has_body && are_events(answer->headers))
        out.stream = [answer](http::event_stream& to) { return pass_events(answer, to); };
    else if (has_body && !has_short_length(answer->headers))
        out.stream = [answer](http::event_stream& to) { return pass_pieces(answer, to); };
    else
        out.body = co_await answer->read_all(max_whole_answer);
    co_return out;
}

task<http::response> forwarder::forward(http::request& r) {
    r.route = "forwarded";
    const auto [count, was_here] = hops(r.headers, pseudonym_);
    if (was_here || count >= max_hops) {
        forwarded_("loop").add();
        co_return http::problem(508, "forwarding_loop",
                                "The request came back to a region that had forwarded it. PRIMARY_URL of the "
                                "regions leads in a circle.")
            .to_response(r.request_id);
    }
    std::optional<http::problem> problem;
    std::string reason;
    std::string_view outcome;
    try {
        auto out = co_await send(r);
        forwarded_("ok").add();
        co_return out;
    } catch (const http::not_connected& e) {
        outcome = "unreachable";
        reason = e.what();
        problem = unreachable(503, "primary_unreachable",
                              "The primary region cannot be reached, so nothing was changed. Reads work.");
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        const bool late = e.code() == errc::timed_out;
        outcome = late ? "timeout" : "broken";
        reason = e.what();
        const auto* what =
            "The primary region did not answer in full. Whether it carried the request out is not "
            "known; with an Idempotency-Key it can be sent again.";
        problem = late ? unreachable(504, "primary_timeout", what) : unreachable(502, "primary_failed", what);
    }
    forwarded_(outcome).add();
    log_.warn("forwarding_failed", {{"request_id", r.request_id}, {"path", r.path}, {"error", reason}});
    co_return problem->to_response(r.request_id);
}

task<void> forwarder::probe() {
    http::upstream_request r;
    r.target = "/health/live";
    const auto answer = co_await primary_.send(r);
    co_await answer->read_all(max_whole_answer);
    if (answer->status != 200) throw std::runtime_error("status " + std::to_string(answer->status));
}

} // namespace tiktrend::gateway
