#include <tiktrend/http/problem.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::http;
using namespace std::chrono_literals;

TEST_CASE("a problem has the members of RFC 9457 and ours", "[unit][http]") {
    problem p{429, "too_many", "Wait a \"little\"."};
    p.with_retry_after(12s).with_type("https://iana.org/assignments/http-problem-types#quota-exceeded");
    p.with_member("violated-policies", "[\"default\"]").with_header("RateLimit", "\"default\";r=0;t=12");
    const auto r = p.to_response("req-1");
    CHECK(r.status == 429);
    CHECK(r.headers.get("Content-Type") == "application/problem+json");
    CHECK(r.headers.get("Retry-After") == "12");
    CHECK(r.headers.get("RateLimit") == "\"default\";r=0;t=12");
    CHECK(r.body ==
          R"({"type":"https://iana.org/assignments/http-problem-types#quota-exceeded",)"
          R"("title":"Too Many Requests","status":429,"detail":"Wait a \"little\".","code":"too_many",)"
          R"("instance":"/requests/req-1","request_id":"req-1","violated-policies":["default"]})");
}

TEST_CASE("validation errors say where, in FastAPI's shape", "[unit][http]") {
    const auto p =
        validation_problem({{{"body", "filters", "0", "page"}, "must be at least 1", "greater_than_equal"},
                            {{"query", "limt"}, "unknown parameter", "extra_forbidden"}});
    CHECK(p.status() == 422);
    CHECK(std::string{p.what()} == "body.filters.0.page: must be at least 1 (and 1 more)");
    const auto body = p.to_response("").body;
    CHECK(
        body.find(
            R"("errors":[{"loc":["body","filters",0,"page"],"msg":"must be at least 1","type":"greater_than_equal"},)"
            R"({"loc":["query","limt"],"msg":"unknown parameter","type":"extra_forbidden"}])") !=
        std::string::npos);
    CHECK(body.find("request_id") == std::string::npos);
}

TEST_CASE("every status that is used has its phrase", "[unit][http]") {
    CHECK(reason_phrase(431) == "Request Header Fields Too Large");
    CHECK(reason_phrase(504) == "Gateway Timeout");
    CHECK(reason_phrase(599) == "Error");
}
