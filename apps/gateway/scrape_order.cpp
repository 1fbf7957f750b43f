#include "scrape_order.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/observe/trace_context.hpp>
#include <tiktrend/postgres/error.hpp>
#include <tiktrend/queue/error.hpp>
#include <tiktrend/redis/error.hpp>
#include <tiktrend/sources/input.hpp>

#include <fmt/format.h>

namespace tiktrend::gateway {
namespace {

constexpr std::int64_t max_delay_ms = 7LL * 24 * 3600 * 1000;
constexpr std::int64_t max_backoff_ms = 24LL * 3600 * 1000;

void read_backoff(json_object_reader& body, queue::job_options& options) {
    const auto object = body.object("backoff");
    if (!object) return;
    json_object_reader reader{*object, body.place("backoff")};
    queue::backoff_options backoff;
    backoff.type = reader.one_of("type", {"fixed", "exponential"}).value_or("exponential");
    backoff.delay = std::chrono::milliseconds{reader.integer("delay", 0, max_backoff_ms).value_or(0)};
    backoff.jitter = reader.number("jitter", 0, 1).value_or(0);
    body.add(reader.take_errors());
    options.backoff = backoff;
}

/// Unknown sources and wrong filters are reported together with every other mistake of the body.
void read_source(json_object_reader& body, const sources::registry& definitions, scrape_order& out) {
    const auto id = body.required_text("source", 1, 200);
    const auto filters = body.object("filters");
    if (id.empty()) return;
    const auto text = filters ? simdjson::minify(*filters) : std::string{};
    const auto chosen = definitions.choose(id, text);
    if (chosen && !chosen->source) {
        body.fail("source", fmt::format("Unknown source '{}'", id), "unknown_source");
        return;
    }
    std::vector<sources::invalid_field> wrong;
    if (chosen) {
        out.source = chosen->source;
        const auto values = sources::validate_input(*out.source, chosen->filters);
        if (values) {
            out.filters = values->json();
            return;
        }
        wrong = values.error();
    } else {
        wrong = chosen.error();
    }
    std::vector<http::invalid_field> errors;
    for (const auto& e : wrong) {
        auto loc = body.place("filters");
        loc.insert(loc.end(), e.loc.begin(), e.loc.end());
        errors.push_back({std::move(loc), e.msg, e.type});
    }
    body.add(std::move(errors));
}

} // namespace

scrape_order read_scrape_order(json_object_reader& body, const sources::registry& definitions,
                               const queue::job_options& defaults, bool with_delay) {
    scrape_order out;
    out.options = defaults;
    read_source(body, definitions, out);
    if (const auto n = body.integer("priority", 0, 2'097'151))
        out.options.priority = static_cast<std::int32_t>(*n);
    if (const auto n = body.integer("attempts", 1, 100)) out.options.attempts = static_cast<std::int32_t>(*n);
    if (with_delay)
        if (const auto n = body.integer("delay", 0, max_delay_ms))
            out.options.delay = std::chrono::milliseconds{*n};
    read_backoff(body, out.options);
    return out;
}

http::problem retired_source(const sources::definition& source) {
    return {422, "source_retired",
            fmt::format("The source '{}' was withdrawn by the site on {}: {}", source.id,
                        source.retired->since, source.retired->note)};
}

std::string scrape_job_data(const scrape_order& order, const principal& owner, std::string_view request_id) {
    std::string out;
    out.reserve(order.source->id.size() + order.filters.size() + request_id.size() + owner.id.size() + 64);
    out += R"({"source":)";
    append_json_string(out, order.source->id);
    out += R"(,"filters":)";
    out += order.filters;
    out += R"(,"request_id":)";
    append_json_string(out, request_id);
    out += ',';
    out += owner_member(owner);
    out += '}';
    return out;
}

std::string owner_member(const principal& owner) {
    std::string out = R"("owner":)";
    append_json_string(out, owner.id);
    return out;
}

void carry_trace(const http::request& r, queue::job_options& options) {
    const auto header = r.headers.get("traceparent");
    if (header.empty()) return;
    auto caller = observe::parse_traceparent(header);
    if (!caller) return;
    caller->state = r.headers.get("tracestate");
    thread_local default_random random;
    const auto ours = caller->child(random);
    options.telemetry_metadata = R"({"traceparent":)";
    append_json_string(options.telemetry_metadata, ours.traceparent());
    if (!ours.state.empty()) {
        options.telemetry_metadata += R"(,"tracestate":)";
        append_json_string(options.telemetry_metadata, ours.state);
    }
    options.telemetry_metadata += '}';
}

queue::new_job scrape_job(scrape_order order, const principal& owner, std::string_view request_id) {
    auto data = scrape_job_data(order, owner, request_id);
    return {"scrape_products", std::move(data), std::move(order.options)};
}

bool is_certainly_not_done(const error_code& e) noexcept {
    if (e.category() == redis::category()) return redis::is_certainly_not_executed(e);
    if (e.category() == postgres::category())
        // A commit whose answer did not come may have happened; the relay then runs the job.
        return e != postgres::errc::connection_lost && e != postgres::errc::timed_out &&
               e != postgres::errc::protocol_error;
    // The queue refuses before it writes; a bound on waiting work is met before anything is sent.
    return e.category() == queue::category() || e == errc::overloaded;
}

void give_back_unless_done(quota_book& quotas, catalog::usage_key charge, const error_code& e,
                           std::int64_t n) {
    if (is_certainly_not_done(e)) quotas.give_back(charge, n);
}

} // namespace tiktrend::gateway
