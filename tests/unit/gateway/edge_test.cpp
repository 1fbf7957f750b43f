// Small decisions at the gateway's edge: the outbox's text, origins, what a region answers itself.
#include "middleware/cors.hpp"
#include "outbox/job_intake.hpp"
#include "outbox/job_text.hpp"
#include "regions/forwarder.hpp"

#include <tiktrend/queue/error.hpp>
#include <tiktrend/redis/error.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::gateway;
using namespace std::chrono_literals;

TEST_CASE("a job comes out of the outbox as it went in", "[unit][outbox]") {
    queue::new_job job{"scrape_products", R"({"source":"a \"b\""})"};
    auto& o = job.options;
    o.id = "0193-x";
    o.priority = 7;
    o.attempts = 4;
    o.delay = 1500ms;
    o.timestamp_ms = 1'700'000'000'123;
    o.telemetry_metadata = R"({"traceparent":"00-1-2-01"})";
    queue::backoff_options backoff;
    backoff.type = "exponential";
    backoff.delay = 2s;
    backoff.jitter = 0.25;
    o.backoff = backoff;
    o.remove_on_complete = queue::keep_policy::newest(1000);
    queue::keep_policy aged;
    aged.age = 3600s;
    aged.limit = 10;
    o.remove_on_fail = aged;
    const auto again = from_outbox(to_outbox(job));
    REQUIRE(again);
    CHECK(again->name == job.name);
    CHECK(again->data == job.data);
    CHECK(again->options.id == o.id);
    CHECK(again->options.priority == 7);
    CHECK(again->options.attempts == 4);
    CHECK(again->options.delay == 1500ms);
    CHECK(again->options.timestamp_ms == o.timestamp_ms);
    CHECK(again->options.telemetry_metadata == o.telemetry_metadata);
    REQUIRE(again->options.backoff);
    CHECK(again->options.backoff->type == "exponential");
    CHECK(again->options.backoff->delay == 2s);
    CHECK(again->options.backoff->jitter == 0.25);
    CHECK(again->options.remove_on_complete == o.remove_on_complete);
    CHECK(again->options.remove_on_fail == o.remove_on_fail);
    queue::new_job plain{"x", "{}"};
    plain.options.id = "y";
    CHECK_FALSE(from_outbox(to_outbox(plain))->options.backoff);
    CHECK_FALSE(from_outbox({"id", "n", "{}", "nonsense"}));
    CHECK_FALSE(from_outbox({"id", "n", "{}", R"({"v":2})"}));
}

TEST_CASE("an accepted job is given up only for what the queue says about the job itself", "[unit][outbox]") {
    CHECK(is_refused_for_good(make_error_code(queue::errc::invalid_priority)));
    CHECK(is_refused_for_good(make_error_code(queue::errc::invalid_job_id)));
    CHECK_FALSE(is_refused_for_good(make_error_code(errc::overloaded)));
    CHECK_FALSE(is_refused_for_good(make_error_code(redis::errc::timed_out)));
}

TEST_CASE("origins are written as browsers send them", "[unit][cors]") {
    for (const auto* good : {"*", "https://app.example.test", "http://localhost:3000", "http://[::1]:8080"})
        CHECK(is_cors_origin(good));
    for (const auto* bad : {"", "app.example.test", "https://", "https://App.test", "https://a.test/",
                            "https://*.test", "ftp://a.test", "https://user@a.test"})
        CHECK_FALSE(is_cors_origin(bad));
}

TEST_CASE("a replica region answers reads and nothing else", "[unit][region]") {
    const auto here = [](http::method m, std::string_view target) {
        http::request r;
        r.method = m;
        r.set_target(target);
        return is_answered_here(r);
    };
    using http::method;
    for (const auto* read :
         {"/products", "/products?limit=1", "/products/7/history", "/categories", "/sources/x", "/health",
          "/health/ready", "/health/serving", "/openapi.json", "/docs"}) {
        CHECK(here(method::get, read));
        CHECK(here(method::head, read));
        CHECK_FALSE(here(method::post, read));
    }
    for (const auto* other :
         {"/productsx", "/scraping/jobs", "/users/me", "/api-keys", "/queues", "/", "/copy"})
        CHECK_FALSE(here(method::get, other));
    CHECK_FALSE(here(method::delete_, "/products"));
    CHECK(here(method::options, "/copy"));
}

TEST_CASE("addresses of upstreams are read strictly", "[unit][region]") {
    const auto o = http::parse_origin("https://api.example.test/v1/");
    REQUIRE(o);
    CHECK(o->tls);
    CHECK(o->host == "api.example.test");
    CHECK(o->port == 443);
    CHECK(o->base == "/v1");
    CHECK(o->authority == "api.example.test");
    const auto six = http::parse_origin("http://[::1]:8080");
    REQUIRE(six);
    CHECK(six->host == "::1");
    CHECK(six->port == 8080);
    CHECK(six->authority == "[::1]:8080");
    for (const auto* bad :
         {"", "http://", "ftp://a", "http://a:0", "http://a:99999", "http://a:x", "http://u:p@a",
          "http://a?b", "http://a#b", "http://[::1", "http://[x]", "http://a b", "http://a\r\nX: y"})
        CHECK_FALSE(http::parse_origin(bad));
}
