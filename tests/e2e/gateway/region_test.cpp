// A second region: a gateway with its own PostgreSQL replica and cache in front of the first region's
// gateway.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <thread>

using namespace tiktrend;
using e2e::text;
using namespace std::chrono_literals;

namespace {

struct two_regions {
    e2e::stack s;
    testing::postgres_server replica;
    testing::redis_server cache;
    e2e::stack::other_gateway gateway;
    e2e::http_client here, anonymous;

    two_regions()
        : s{options()}, replica{replica_options(s)}, gateway{s.start_other_gateway(environment())},
          here{gateway.url, s.api_key()}, anonymous{gateway.url} {}

    static e2e::stack::options options() {
        e2e::stack::options o;
        o.gateway = {{"TRUSTED_PROXIES", "127.0.0.1"}};
        return o;
    }
    static testing::postgres_server::options replica_options(const e2e::stack& s) {
        testing::postgres_server::options o;
        o.replica_of = &const_cast<e2e::stack&>(s).database();
        return o;
    }
    std::map<std::string, std::string> environment() const {
        return {{"GATEWAY_ROLE", "replica"},           {"REGION", "south"},
                {"PRIMARY_URL", s.gateway_url()},      {"DATABASE_REPLICA_URLS", replica.url("e2e")},
                {"REDIS_CACHE_URL", cache.unix_url()}, {"REDIS_QUEUE_URL", "unix:///no/such/redis"}};
    }
};

} // namespace

TEST_CASE("a replica region reads by itself and hands everything else on", "[e2e][region]") {
    two_regions r;
    const auto id = r.s.start_scrape();
    REQUIRE(text(r.s.wait_for_job(id).json(), "state") == "completed");

    // Reads, from the region's own replica.
    CHECK(testing::poll_until(
        [&] {
            const auto list = r.here.get("/products?limit=3&sort=price");
            return list.status == 200 && list.body.find(R"("items":[{)") != std::string::npos &&
                   list.header("via").empty();
        },
        30s));
    CHECK(r.anonymous.get("/products").status == 401);

    // Writes, in the first region, with the caller's credentials and the region's request id.
    const auto started = r.here.post("/scraping/start", r.s.scrape_body(), {"Idempotency-Key: one"});
    REQUIRE(started.status == 202);
    CHECK(started.header("via") == "1.1 tiktrend-south");
    const auto job = text(started.json(), "job_id");
    const auto stored = r.s.queue_redis().command({"HGET", "bull:scraping:" + job, "data"});
    CHECK(stored.find(started.header("x-request-id")) != std::string::npos);
    CHECK(r.here.post("/scraping/start", r.s.scrape_body(), {"Idempotency-Key: one"})
              .header("idempotent-replayed") == "true");
    CHECK(text(r.s.api().post("/scraping/start", r.s.scrape_body(), {"Idempotency-Key: one"}).json(),
               "job_id") == job);
    const auto nobody = r.anonymous.post("/scraping/start", r.s.scrape_body());
    CHECK(nobody.status == 401);
    CHECK_FALSE(nobody.header("www-authenticate").empty());
    CHECK(r.here.post("/scraping/start", "{").status == 400);

    // The trace goes on into the job.
    const auto traced = r.here.post("/scraping/start", r.s.scrape_body(),
                                    {"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"});
    const auto opts =
        r.s.queue_redis().command({"HGET", "bull:scraping:" + text(traced.json(), "job_id"), "opts"});
    CHECK(opts.find("0af7651916cd43dd8448eb211c80319c") != std::string::npos);

    // Streams pass through: this one ends with the job.
    const auto events = r.here.get("/scraping/jobs/" + text(traced.json(), "job_id") + "/events");
    CHECK(events.status == 200);
    CHECK(events.header("content-type").starts_with("text/event-stream"));
    CHECK(events.body.find("event: state") != std::string::npos);
    CHECK(events.body.find("completed") != std::string::npos);

    const auto health = r.here.get("/health");
    CHECK(health.status == 200);
    const simdjson::dom::element region = health.json().at_key("region");
    CHECK(text(region, "name") == "south");
    CHECK(text(region, "role") == "replica");
    CHECK(region["replicas"].get_array().at(0)["lag_ms"].is_int64());
    CHECK(region["replicas"].get_array().at(0)["lag_bytes"].is_int64());
    const auto home = r.s.api().get("/health");
    CHECK(text(home.json().at_key("region"), "role") == "primary");
}

TEST_CASE("a replica region goes on reading while the first one is away", "[e2e][region]") {
    two_regions r;
    const auto id = r.s.start_scrape();
    REQUIRE(text(r.s.wait_for_job(id).json(), "state") == "completed");
    CHECK(testing::poll_until(
        [&] { return r.here.get("/products").body.find(R"("items":[{)") != std::string::npos; }, 30s));
    r.s.gateway().kill();
    r.s.database().stop();
    CHECK(r.here.get("/products?sort=rating").status == 200);
    const auto w = r.here.post("/scraping/start", r.s.scrape_body());
    CHECK(w.status == 503);
    CHECK(text(w.json(), "code") == "primary_unreachable");
    CHECK_FALSE(w.header("retry-after").empty());
    CHECK(
        testing::poll_until([&] { return text(r.here.get("/health").json(), "status") == "degraded"; }, 30s));
    CHECK(r.here.get("/health/ready").status == 200);
}

TEST_CASE("a region that drains ends the streams that it passes on", "[e2e][region]") {
    two_regions r;
    const auto order = r.s.scrape_body();
    const auto later = order.substr(0, order.size() - 1) + R"(,"delay":600000})";
    const auto id = text(r.s.api().post("/scraping/start", later).json(), "job_id");
    e2e::answer seen;
    std::jthread client{[&] { seen = r.here.get("/scraping/jobs/" + id + "/events"); }};
    REQUIRE(testing::poll_until(
        [&] { return r.s.queue_redis().command({"CLIENT", "LIST"}).find(":qe ") != std::string::npos; },
        30s));
    const auto asked = std::chrono::steady_clock::now();
    r.gateway.child.signal(SIGTERM); // LAME_DUCK 200 ms, DRAIN_TIMEOUT 5 s
    client.join();
    CHECK(std::chrono::steady_clock::now() - asked < 4s);
    CHECK(seen.status == 200); // a whole answer: not cut off
    CHECK(seen.body.find("event: state") != std::string::npos);
    CHECK(r.gateway.child.wait(10s) == 0);
}

TEST_CASE("regions that lead to each other end in an answer, not in a circle", "[e2e][region]") {
    e2e::stack::options o;
    o.with_worker = false;
    e2e::stack s{o};
    const auto a = std::to_string(testing::free_port()), b = std::to_string(testing::free_port());
    const auto gateway = [&](const std::string& name, const std::string& port, const std::string& other) {
        return s.start_other_gateway({{"GATEWAY_ROLE", "replica"},
                                      {"REGION", name},
                                      {"GATEWAY_PORT", port},
                                      {"PRIMARY_URL", "http://127.0.0.1:" + other}});
    };
    const auto first = gateway("a", a, b);
    const auto second = gateway("b", b, a);
    const auto r = e2e::http_client{first.url, s.api_key()}.post("/scraping/start", s.scrape_body());
    CHECK(r.status == 508);
    CHECK(text(r.json(), "code") == "forwarding_loop");
}
