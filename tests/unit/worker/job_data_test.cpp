#include "jobs/job_data.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::worker;

namespace {
std::string reason(std::string_view json) {
    const auto d = parse_job_data(json);
    return d ? "ok" : d.error().reason;
}
} // namespace

TEST_CASE("job data has a source, filters and a request id", "[unit][worker]") {
    const auto d = parse_job_data(R"({"source":"demo.shop","filters":{"per_page": 50},"request_id":"r1"})");
    REQUIRE(d.has_value());
    CHECK(d->source == "demo.shop");
    CHECK(d->filters == R"({"per_page":50})");
    CHECK(d->request_id == "r1");
    CHECK(parse_job_data(R"({"source":"x","owner":"user:7"})")->owner == "user:7");
    CHECK_FALSE(parse_job_data(R"({"source":"x","owner":"user:7"})")->is_unmetered);
    const auto unmetered = parse_job_data(R"({"source":"x","owner":"user:7","unmetered":true})");
    CHECK(unmetered->is_unmetered);
    CHECK(parse_job_data(to_json(*unmetered))->is_unmetered);
    CHECK(parse_job_data(R"({"source":"x"})")->filters == "{}");
    CHECK(parse_job_data(R"({"source":"x","filters":null})")->filters == "{}");
}

TEST_CASE("wrong job data is refused with the member and what is expected", "[unit][worker]") {
    CHECK(reason("").starts_with("data: not JSON"));
    CHECK(reason("{\"source\":\"x\"").starts_with("data: not JSON"));
    CHECK(reason("[]") == "data: expected a JSON object with source and filters");
    CHECK(reason("{}") == "data.source: missing");
    CHECK(reason(R"({"source":""})") == "data.source: missing");
    CHECK(reason(R"({"source":7})") == "data.source: expected text");
    CHECK(reason(R"({"source":"x","filters":[]})") == "data.filters: expected an object");
    CHECK(reason(R"({"source":"x","unmetered":1})") == "data.unmetered: expected true or false");
    CHECK(reason(R"({"source":"x","request_id":{}})") == "data.request_id: expected text");
    CHECK(reason(R"({"source":"x","filter":{}})") ==
          "data.filter: unknown member; expected source, filters, request_id and owner");
    CHECK(reason(R"({"source":")" + std::string(300, 'x') + "\"}") ==
          "data.source: expected at most 200 bytes");
}
