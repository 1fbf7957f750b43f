#include "stack.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>

using namespace tiktrend;

namespace {

/// The value of a series as text; empty if it is absent.
std::string value(const std::string& body, const std::string& series) {
    const auto at = ("\n" + body).find("\n" + series + ' ');
    if (at == std::string::npos) return {};
    const auto start = at + series.size() + 1;
    return body.substr(start, body.find('\n', start) - start);
}

e2e::stack::options without_worker() {
    e2e::stack::options o;
    o.with_worker = false;
    return o;
}

} // namespace

TEST_CASE("the queue's depth is exported, and absent while Redis is away", "[e2e]") {
    e2e::stack s{without_worker()};
    for (int i = 0; i < 3; ++i)
        s.start_scrape();
    const auto depth_is = [&](const std::string& expected) {
        return testing::poll_until(
            [&] {
                return value(s.metrics().get("/metrics").body, R"(bullmq_queue_depth{queue="scraping"})") ==
                       expected;
            },
            std::chrono::seconds{10});
    };
    CHECK(depth_is("3"));
    const auto body = s.metrics().get("/metrics").body;
    CHECK(value(body, "scraping_queue_depth") == "3");
    CHECK(value(body, R"(bullmq_job_count{queue="scraping",state="prioritized"})") == "3");
    CHECK(value(body, R"(http_requests_total{endpoint="/scraping/start",method="POST",status="202"})") ==
          "3");
    CHECK(value(body, R"(bullmq_job_completed_total{queue="scraping"})") == "0");
    CHECK(value(body, "active_users") == "1");
    CHECK(value(body, R"(quota_usage{type="scrapes"})") == "3");
    CHECK(value(body, "queue_metrics_up") == "1");

    s.queue_redis().kill();
    CHECK(depth_is(""));
    CHECK(value(s.metrics().get("/metrics").body, "queue_metrics_up") == "0");
    const auto refused = s.api().post("/scraping/start", s.scrape_body());
    CHECK(refused.status == 503);
    CHECK_FALSE(refused.header("retry-after").empty());
    CHECK(s.anonymous().get("/health/live").status == 200);
    CHECK(testing::poll_until([&] { return s.anonymous().get("/health/ready").status == 503; }));
    CHECK(s.api().get("/products").status == 200);

    s.queue_redis().start(); // empty now: it had no persistence
    CHECK(depth_is("0"));
    CHECK(testing::poll_until([&] { return s.anonymous().get("/health/ready").status == 200; }));
}

TEST_CASE("with the cache's Redis away, products come from the database", "[e2e]") {
    e2e::stack s;
    s.wait_for_job(s.start_scrape());
    s.cache_redis().kill();
    for (int i = 0; i < 5; ++i) {
        const auto r = s.api().get("/products?source=demo.shop&limit=" + std::to_string(5 + i));
        CHECK(r.status == 200);
    }
    CHECK(s.anonymous().get("/health/ready").status == 200);
    CHECK(testing::poll_until([&] {
        return s.anonymous().get("/health").body.find(R"("status":"degraded")") != std::string::npos;
    }));
}

TEST_CASE("a Redis with the eviction policy of the other is reported", "[e2e]") {
    e2e::stack s{without_worker()}; // both servers have Redis's default, noeviction: wrong for the cache
    const auto body = s.metrics().get("/metrics").body;
    CHECK(value(body, R"(redis_config_ok{role="queue"})") == "1");
    CHECK(value(body, R"(redis_config_ok{role="cache"})") == "0");
}

TEST_CASE("metrics come in the format that is asked for", "[e2e]") {
    e2e::stack s{without_worker()};
    CHECK(s.metrics().get("/metrics").header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
    const auto open = s.metrics().get("/metrics", {"Accept: application/openmetrics-text;version=1.0.0"});
    CHECK(open.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    CHECK(open.body.ends_with("# EOF\n"));
    CHECK(s.anonymous().get("/metrics").status == 404); // not on the public port
}

TEST_CASE("docs/metrics.md lists every metric that the gateway exports", "[e2e]") {
    e2e::stack s{without_worker()};
    s.api().get("/products");
    const auto docs =
        e2e::read_file(std::filesystem::path{std::getenv("TIKTREND_SOURCE_DIR")} / "docs/metrics.md");
    const auto body = s.metrics().get("/metrics").body;
    int families = 0;
    for (std::size_t at = body.find("# TYPE "); at != std::string::npos;
         at = body.find("# TYPE ", at + 1), ++families) {
        const auto name = body.substr(at + 7, body.find(' ', at + 7) - at - 7);
        INFO(name);
        CHECK(docs.find('`' + name) != std::string::npos);
    }
    CHECK(families > 15);
}

TEST_CASE("no secret of the environment is in the log", "[e2e]") {
    e2e::stack s{without_worker()};
    const std::string secret = "hunter2hunter2hunter2hunter2hunter2";
    const auto server = "127.0.0.1:" + std::to_string(s.database().port()) + "/e2e";
    const auto replicas = "postgresql://postgres:" + secret + '@' + server + ",postgresql://postgres@" +
                          server + "?password=" + secret;
    const auto other = s.start_other_gateway({{"DATABASE_REPLICA_URLS", replicas},
                                              {"JWT_HS256_SECRET", secret},
                                              {"JWT_ISSUER", "i"},
                                              {"JWT_AUDIENCE", "a"},
                                              {"CURSOR_SECRET", secret},
                                              {"COPY_API_KEY", secret},
                                              {"LOG_LEVEL", "debug"}});
    CHECK(e2e::http_client{other.url, s.api_key()}.get("/products").status == 200);
    s.database().kill(); // what goes wrong is told, too
    e2e::http_client{other.url, s.api_key()}.get("/products?limit=7");
    const auto log = e2e::read_file(other.log);
    CHECK(log.find("DATABASE_REPLICA_URLS") != std::string::npos);
    CHECK(log.find(secret) == std::string::npos);
    CHECK(log.find(s.api_key().substr(13)) == std::string::npos);
}
