#include "routes/start_scraping.hpp"

#include "json_body.hpp"
#include "middleware/idempotency.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/observe/trace_context.hpp>
#include <tiktrend/sources/input.hpp>

#include <fmt/format.h>

namespace tiktrend::gateway {
namespace {

constexpr std::int64_t max_delay_ms = 7LL * 24 * 3600 * 1000;
constexpr std::int64_t max_backoff_ms = 24LL * 3600 * 1000;

struct start_request {
    sources::definition_ptr source;
    std::string filters; ///< canonical JSON
    queue::job_options options;
};

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
void read_source(json_object_reader& body, const sources::registry& definitions, start_request& out) {
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

struct services {
    queue::queue& jobs;
    const sources::registry& definitions;
    queue::job_options defaults;
    quota_book& quotas;
};

start_request read_start_request(const http::request& r, const services& s) {
    thread_local simdjson::dom::parser parser;
    json_object_reader body{parse_json_object(parser, r), {"body"}};
    start_request out;
    out.options = s.defaults;
    read_source(body, s.definitions, out);
    if (const auto n = body.integer("priority", 0, 2'097'151))
        out.options.priority = static_cast<std::int32_t>(*n);
    if (const auto n = body.integer("attempts", 1, 100)) out.options.attempts = static_cast<std::int32_t>(*n);
    if (const auto n = body.integer("delay", 0, max_delay_ms))
        out.options.delay = std::chrono::milliseconds{*n};
    read_backoff(body, out.options);
    body.finish();
    return out;
}

std::string job_data(const start_request& start, const principal& owner, std::string_view request_id) {
    std::string out = R"({"source":)";
    append_json_string(out, start.source->id);
    out += R"(,"filters":)";
    out += start.filters;
    out += R"(,"request_id":)";
    append_json_string(out, request_id);
    out += R"(,"owner":)";
    append_json_string(out, owner.id);
    return out + '}';
}

/// The caller's trace goes on in the job (layout 4.17), so that the worker's spans link to the request.
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

/// The charge is given back if the job was certainly not added. A lost reply leaves both open; then the charge
/// stays, as giving it back could let a user have more than the quota.
task<std::string> add_or_give_back(const services& s, catalog::usage_key charge, queue::new_job job) {
    try {
        co_return co_await s.jobs.add(std::move(job));
    } catch (const system_error& e) {
        if (e.code().category() != redis::category() || redis::is_certainly_not_executed(e.code()))
            s.quotas.give_back(charge);
        throw;
    }
}

task<http::response> start(const services& s, http::request& r) {
    auto request = read_start_request(r, s);
    if (request.source->retired)
        throw http::problem(422, "source_retired",
                            fmt::format("The source '{}' was withdrawn by the site on {}: {}",
                                        request.source->id, request.source->retired->since,
                                        request.source->retired->note));
    carry_trace(r, request.options);
    const auto& who = principal_of(r);
    // A repetition that runs again, since the first one's end was lost, finds the job that is there.
    if (const auto* once = r.attached<idempotent_request>()) request.options.id = once->name;
    queue::new_job job{"scrape_products", job_data(request, who, r.request_id), std::move(request.options)};
    const auto charge = co_await s.quotas.take(who, catalog::usage_kind::scrapes);
    const auto id = co_await add_or_give_back(s, charge, std::move(job));
    const auto url = "/scraping/jobs/" + id;
    std::string body = R"({"job_id":)";
    append_json_string(body, id);
    body += R"(,"status_url":)";
    append_json_string(body, url);
    auto response = http::response::json(202, body + '}');
    response.headers.set("Location", url);
    response.headers.set("Cache-Control", "no-store");
    co_return response;
}

} // namespace

http::handler start_scraping(queue::queue& jobs, const sources::registry& definitions,
                             queue::job_options defaults, quota_book& quotas) {
    // Shared, since a std::function copies what it holds.
    auto s = std::make_shared<const services>(
        services{jobs, definitions, std::move(defaults), quotas});
    return [s = std::move(s)](http::request& r) { return start(*s, r); };
}

} // namespace tiktrend::gateway
