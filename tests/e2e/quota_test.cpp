// Quotas by day, over two gateways that race.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace tiktrend;
using e2e::integer;
using e2e::text;

namespace {

e2e::stack::options with_quota() {
    e2e::stack::options o;
    o.with_worker = false;
    o.gateway = {{"QUOTA_SCRAPES", "25"}};
    return o;
}

std::int64_t used(const e2e::http_client& c) {
    const auto r = c.get("/users/me/quota");
    if (r.status != 200) return -1;
    for (const auto q : r.json()["quotas"].get_array())
        if (text(q, "kind") == "scrapes") return integer(q, "used");
    return -2;
}

} // namespace

TEST_CASE("a quota holds exactly while two gateways race for it", "[e2e][quota]") {
    e2e::stack s{with_quota()};
    const auto second = s.start_other_gateway();
    const auto key = s.make_key("scrape", "ann@example.test");
    const auto body = s.scrape_body();
    std::atomic<int> accepted = 0, refused = 0, other = 0;
    {
        std::vector<std::jthread> clients;
        for (int i = 0; i < 8; ++i)
            clients.emplace_back([&, i] {
                const e2e::http_client c{i % 2 ? s.gateway_url() : second.url, key};
                for (int n = 0; n < 8; ++n) {
                    const auto status = c.post("/scraping/start", body).status;
                    ++(status == 202 ? accepted : status == 429 ? refused : other);
                }
            });
    }
    CHECK(accepted == 25);
    CHECK(refused == 39);
    CHECK(other == 0);
    CHECK(s.queue_redis().command({"ZCARD", "bull:scraping:prioritized"}) == "25");
    CHECK(s.database().execute("e2e", "SELECT used FROM usage") == "25");

    const e2e::http_client ann{s.gateway_url(), key};
    const auto r = ann.post("/scraping/start", body);
    CHECK(r.status == 429);
    CHECK(text(r.json(), "code") == "quota_exceeded");
    CHECK(text(r.json(), "type") == "https://iana.org/assignments/http-problem-types#quota-exceeded");
    CHECK(r.body.find(R"("violated-policies":["scrapes-per-day"])") != std::string::npos);
    CHECK(std::stoi(r.header("retry-after")) > 0);
    // Administrators are counted, not refused; others have their own quota.
    for (int i = 0; i < 30; ++i)
        CHECK(s.api().post("/scraping/start", body).status == 202);
    const e2e::http_client bob{second.url, s.make_key("scrape", "bob@example.test")};
    CHECK(bob.post("/scraping/start", body).status == 202);
    const auto exported = s.metrics().get("/metrics").body;
    CHECK(exported.find("\nquota_usage{type=\"scrapes\"} 56\n") != std::string::npos);
    CHECK(exported.find("\nquota_usage{type=\"copies\"} 0\n") != std::string::npos);
    CHECK(exported.find("\nquota_refusals_total{type=\"scrapes\"}") != std::string::npos);

    // A limit of one's own counts at once.
    s.run_cli({"user", "quota", "--email", "ann@example.test", "--kind", "scrapes", "--limit", "26"});
    CHECK(ann.post("/scraping/start", body).status == 202);
    CHECK(ann.post("/scraping/start", body).status == 429);
    s.run_cli({"user", "quota", "--email", "ann@example.test", "--kind", "scrapes", "--limit", "standard"});
    CHECK(s.database().execute("e2e", "SELECT count(*) FROM quotas") == "0");
}

TEST_CASE("the quota's answer is cached, and forgotten by every gateway when something is counted",
          "[e2e][quota]") {
    e2e::stack s{with_quota()};
    const auto second = s.start_other_gateway();
    const auto key = s.make_key("scrape", "ann@example.test");
    const e2e::http_client here{s.gateway_url(), key};
    const e2e::http_client there{second.url, key};
    CHECK(used(here) == 0);
    CHECK(testing::poll_until([&] { return there.get("/users/me/quota").header("x-cache") == "hit"; }));
    CHECK(here.post("/scraping/start", s.scrape_body()).status == 202);
    CHECK(testing::poll_until(
        [&] {
            for (int i = 0; i < 4; ++i)
                if (used(here) != 1 || used(there) != 1) return false;
            return true;
        },
        std::chrono::milliseconds{1000}));
}

TEST_CASE("what the queue did not take is not charged", "[e2e][quota]") {
    e2e::stack s{with_quota()};
    const e2e::http_client ann{s.gateway_url(), s.make_key("scrape", "ann@example.test")};
    CHECK(ann.post("/scraping/start", s.scrape_body()).status == 202);
    s.queue_redis().kill();
    // The first may be cut off in the middle; from then on the gateway knows that there is no connection.
    testing::poll_until([&] { return ann.post("/scraping/start", s.scrape_body()).status == 503; });
    const auto before = std::stoi(s.database().execute("e2e", "SELECT used FROM usage"));
    for (int i = 0; i < 5; ++i)
        CHECK(ann.post("/scraping/start", s.scrape_body()).status == 503);
    CHECK(testing::poll_until(
        [&] { return std::stoi(s.database().execute("e2e", "SELECT used FROM usage")) <= before; }));
    // Nor is what was wrong.
    CHECK(ann.post("/scraping/start", R"({"source":"no.such"})").status == 422);
    CHECK(std::stoi(s.database().execute("e2e", "SELECT used FROM usage")) <= before);
}

TEST_CASE("without PostgreSQL nothing is started on credit", "[e2e][quota]") {
    e2e::stack s{with_quota()};
    const e2e::http_client ann{s.gateway_url(), s.make_key("scrape", "ann@example.test")};
    CHECK(ann.post("/scraping/start", s.scrape_body()).status == 202);
    s.database().stop();
    const auto r = ann.post("/scraping/start", s.scrape_body());
    CHECK(r.status == 503);
    CHECK_FALSE(r.header("retry-after").empty());
    s.database().start();
    CHECK(testing::poll_until([&] { return ann.post("/scraping/start", s.scrape_body()).status == 202; }));
}

TEST_CASE("what schedules start counts, and fails when the quota is used up", "[e2e][quota]") {
    e2e::stack::options o;
    o.gateway = o.worker = {{"QUOTA_SCRAPES", "2"}};
    e2e::stack s{o};
    const auto twice_a_day = s.scrape_body().substr(0, s.scrape_body().size() - 1) + R"(,"every":43200000})";
    const auto put = [&](const e2e::http_client& c) {
        return c.send("PUT", "/scraping/schedules/daily", twice_a_day, {"Content-Type: application/json"})
            .status;
    };
    const auto failed_for = [](const e2e::http_client& c) {
        return c.get("/scraping/jobs?state=failed")
            .body.find("quota_exceeded: the owner's daily quota of 2 scrapes");
    };
    const e2e::http_client ann{s.gateway_url(), s.make_key("scrape", "ann@example.test")};
    CHECK(used(ann) == 0);
    REQUIRE(put(ann) == 201);
    CHECK(testing::poll_until([&] { return used(ann) == 1; }, std::chrono::seconds{30}));
    CHECK(ann.post("/scraping/start", s.scrape_body()).status == 202);
    CHECK(ann.post("/scraping/start", s.scrape_body()).status == 429); // the schedule's job was the other

    const e2e::http_client bob{s.gateway_url(), s.make_key("scrape", "bob@example.test")};
    for (int i = 0; i < 2; ++i)
        CHECK(bob.post("/scraping/start", s.scrape_body()).status == 202);
    REQUIRE(put(bob) == 201);
    CHECK(
        testing::poll_until([&] { return failed_for(bob) != std::string::npos; }, std::chrono::seconds{30}));
    CHECK(failed_for(ann) == std::string::npos);
    CHECK(used(bob) == 2);

    // An administrator's schedule is counted, not refused.
    for (int i = 0; i < 2; ++i)
        CHECK(s.api().post("/scraping/start", s.scrape_body()).status == 202);
    REQUIRE(put(s.api()) == 201);
    CHECK(testing::poll_until([&] { return used(s.api()) == 3; }, std::chrono::seconds{30}));
}
