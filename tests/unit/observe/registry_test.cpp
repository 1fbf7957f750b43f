#include <tiktrend/observe/registry.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::observe;

namespace {
bool has_line(const std::string& body, const std::string& line) {
    return ("\n" + body).find("\n" + line + "\n") != std::string::npos;
}
} // namespace

TEST_CASE("text format: HELP, TYPE, labels and values", "[unit][observe]") {
    registry r;
    const auto f = r.counters("http_requests_total", "Requests answered.", {"method", "status"});
    f.with({"GET", "200"}).increment();
    f.with({"GET", "200"}).increment(2);
    r.gauges("bullmq_queue_depth", "Work that needs a slot.", {"queue"}).with({"a\"b"}).set(42);
    const auto text = r.exposition("");
    CHECK(text.content_type == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(has_line(text.body, "# TYPE http_requests_total counter"));
    CHECK(has_line(text.body, R"(http_requests_total{method="GET",status="200"} 3)"));
    CHECK(has_line(text.body, R"(bullmq_queue_depth{queue="a\"b"} 42)"));
}

TEST_CASE("OpenMetrics when the Accept header prefers it", "[unit][observe]") {
    registry r;
    r.counters("jobs_total", "Jobs.").with({}).increment();
    r.histograms("seconds", "Time.", {}, {1, 2.5}).with({}).observe(2);
    const auto text = r.exposition(
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
    CHECK(text.content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8");
    CHECK(has_line(text.body, "# TYPE jobs counter"));
    CHECK(has_line(text.body, "jobs_total 1"));
    CHECK(has_line(text.body, R"(seconds_bucket{le="1.0"} 0)"));
    CHECK(has_line(text.body, R"(seconds_bucket{le="2.5"} 1)"));
    CHECK(has_line(text.body, R"(seconds_bucket{le="+Inf"} 1)"));
    CHECK(text.body.ends_with("# EOF\n"));
    CHECK(r.exposition("text/plain").content_type.starts_with("text/plain"));
    CHECK(
        r.exposition("application/openmetrics-text;q=0.1,text/plain").content_type.starts_with("text/plain"));
}

TEST_CASE("a cleared family is absent, and its series can be made again", "[unit][observe]") {
    registry r;
    const auto depth = r.gauges("depth", "Depth.", {"queue"});
    depth.with({"q"}).set(7);
    depth.clear();
    CHECK(r.exposition("").body.find("depth") == std::string::npos);
    depth.with({"q"}).set(8);
    CHECK(has_line(r.exposition("").body, R"(depth{queue="q"} 8)"));
}

TEST_CASE("the same name gives the same family; a wrong number of labels is a bug", "[unit][observe]") {
    registry r;
    r.counters("a_total", "A.", {"x"}).with({"1"}).increment();
    r.counters("a_total", "A.", {"x"}).with({"1"}).increment();
    CHECK(r.counters("a_total", "A.", {"x"}).with({"1"}).value() == 2);
    CHECK_THROWS(r.counters("a_total", "A.", {"x"}).with({}));
    CHECK(r.names() == std::vector<std::string>{"a_total"});
}
