#include <tiktrend/observe/registry.hpp>

#include <catch2/catch.hpp>

#include <stdexcept>
#include <thread>

using namespace tiktrend::observe;

TEST_CASE("the text format has help, type and sorted series", "[unit][observe]") {
    registry r;
    auto& requests =
        r.counters("http_requests_total", "Requests\nanswered \\ \"all\".", {"method", "status"});
    requests("POST", "202").add(2);
    requests("GET", "200").add();
    requests("GET", "a\"b\\c\nd").add(0.5);
    r.make_gauge("active_users", "Users.").set(-3);
    const auto e = r.expose();
    CHECK(e.content_type == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(e.body == "# HELP active_users Users.\n"
                    "# TYPE active_users gauge\n"
                    "active_users -3\n"
                    "# HELP http_requests_total Requests\\nanswered \\\\ \"all\".\n"
                    "# TYPE http_requests_total counter\n"
                    "http_requests_total{method=\"GET\",status=\"200\"} 1\n"
                    "http_requests_total{method=\"GET\",status=\"a\\\"b\\\\c\\nd\"} 0.5\n"
                    "http_requests_total{method=\"POST\",status=\"202\"} 2\n");
}

TEST_CASE("OpenMetrics names counters its way, spells boundaries as floats and ends with EOF",
          "[unit][observe]") {
    registry r;
    r.counters("jobs_total", "Jobs.", {"queue"})("scraping").add(7);
    const auto h = r.make_histogram("wait_seconds", "Waiting.", {0.5, 1, 10});
    for (const double v : {0.25, 0.75, 1.0, 100.0})
        h.observe(v);
    const auto e = r.expose("application/openmetrics-text");
    CHECK(e.content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8");
    CHECK(e.body == "# HELP jobs Jobs.\n"
                    "# TYPE jobs counter\n"
                    "jobs_total{queue=\"scraping\"} 7\n"
                    "# HELP wait_seconds Waiting.\n"
                    "# TYPE wait_seconds histogram\n"
                    "wait_seconds_bucket{le=\"0.5\"} 1\n"
                    "wait_seconds_bucket{le=\"1.0\"} 3\n"
                    "wait_seconds_bucket{le=\"10.0\"} 3\n"
                    "wait_seconds_bucket{le=\"+Inf\"} 4\n"
                    "wait_seconds_sum 102\n"
                    "wait_seconds_count 4\n"
                    "# EOF\n");
    CHECK(r.expose().body.find("wait_seconds_bucket{le=\"1\"} 3\n") != std::string::npos);
}

TEST_CASE("the Accept field chooses the format", "[unit][observe]") {
    const registry r;
    const auto is_open = [&](const char* accept) {
        return r.expose(accept).content_type.substr(0, 11) == "application";
    };
    // as Prometheus 2.4x and 3.x send it
    CHECK(is_open(
        "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"));
    CHECK(is_open("application/openmetrics-text; version=1.0.0"));
    CHECK_FALSE(is_open(""));
    CHECK_FALSE(is_open("*/*"));
    CHECK_FALSE(is_open("text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5"));
    CHECK_FALSE(is_open("application/openmetrics-text;version=0.0.1"));
    CHECK_FALSE(is_open("application/openmetrics-text;q=0"));
    CHECK_FALSE(is_open("application/openmetrics-text;q=junk"));
    CHECK_FALSE(is_open("text/html,application/xhtml+xml,*/*;q=0.8"));
}

TEST_CASE("a removed series is absent, not zero", "[unit][observe]") {
    registry r;
    auto& depth = r.gauges("bullmq_queue_depth", "Depth.", {"queue"});
    depth("scraping").set(12);
    depth.remove({"scraping"});
    depth.remove({"never there"});
    CHECK(r.expose().body.empty());
    depth("scraping").set(3);
    CHECK(r.expose().body.find("bullmq_queue_depth{queue=\"scraping\"} 3\n") != std::string::npos);
}

TEST_CASE("families are shared by name and refused when they differ", "[unit][observe]") {
    registry r;
    auto& a = r.counters("a_total", "A.", {"x"});
    CHECK(&a == &r.counters("a_total", "A.", {"x"}));
    CHECK_THROWS_AS(r.counters("a_total", "A.", {"y"}), std::invalid_argument);
    CHECK_THROWS_AS(r.make_gauge("a_total", "A."), std::invalid_argument);
    CHECK_THROWS_AS(r.make_gauge("1bad", ""), std::invalid_argument);
    CHECK_THROWS_AS(r.gauges("ok", "", {"not-good"}), std::invalid_argument);
    CHECK_THROWS_AS(r.gauges("ok", "", {"le"}), std::invalid_argument);
    CHECK_THROWS_AS(a.with({"1", "2"}), std::invalid_argument);
}

TEST_CASE("the names of all families can be listed", "[unit][observe]") {
    registry r;
    r.make_gauge("b", "");
    r.make_histogram("c_seconds", "");
    r.counters("a_total", "", {"x"});
    CHECK(r.names() == std::vector<std::string>{"a_total", "b", "c_seconds"});
}

TEST_CASE("cached handles are the family's own series", "[unit][observe]") {
    registry r;
    auto& family = r.counters("a_total", "A.", {"x", "y"});
    label_cache<counter, 2> cache{family};
    for (int i = 0; i < 3; ++i)
        cache("1", "2").add();
    cache("12", "").add();
    cache("", "12").add();
    CHECK(family("1", "2").value() == 3);
    CHECK(family("12", "").value() == 1);
    CHECK(family("", "12").value() == 1);
    label_cache<counter, 2> nothing;
    CHECK_NOTHROW(nothing("1", "2").add());
    CHECK_NOTHROW(gauge{}.set(1));
    CHECK_NOTHROW(histogram{}.observe(1.0));
}

TEST_CASE("collect callbacks run before each exposition until their token goes", "[unit][observe]") {
    registry r;
    int runs = 0;
    auto token = r.on_collect([&] { r.gauges("runs", "Runs.", {}).with({}).set(++runs); });
    CHECK(r.expose().body.find("runs 1\n") != std::string::npos);
    CHECK(r.expose().body.find("runs 2\n") != std::string::npos);
    token.reset();
    CHECK(r.expose().body.find("runs 2\n") != std::string::npos);
}

TEST_CASE("process metrics tell plausible values", "[unit][observe]") {
    registry r;
    const auto token = add_process_metrics(r, "1.2.3");
    const auto body = r.expose().body;
    CHECK(body.find("tiktrend_build_info{version=\"1.2.3\"} 1\n") != std::string::npos);
    const auto value = [&](const std::string& name) {
        const auto at = body.find("\n" + name + " ");
        REQUIRE(at != std::string::npos);
        return std::stod(body.substr(at + name.size() + 2));
    };
    CHECK(value("process_resident_memory_bytes") > 1e6);
    CHECK(value("process_open_fds") >= 3);
    CHECK(value("process_max_fds") >= 64);
    CHECK(value("process_start_time_seconds") > 1.7e9);
    CHECK(body.find("\nprocess_cpu_seconds_total ") != std::string::npos);
}

TEST_CASE("series may be made, counted and read from several threads", "[unit][observe]") {
    registry r;
    auto& family = r.counters("a_total", "A.", {"x"});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            label_cache<counter, 1> cache{family};
            for (int i = 0; i < 2000; ++i) {
                cache(std::to_string(i % 10)).add();
                if (i % 500 == 0) (void)r.expose();
            }
        });
    for (auto& t : threads)
        t.join();
    for (int i = 0; i < 10; ++i)
        CHECK(family(std::to_string(i)).value() == 800);
}
