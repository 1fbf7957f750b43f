// Idempotency-Key over two gateways that race.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <mutex>
#include <set>
#include <thread>

using namespace tiktrend;
using e2e::text;

namespace {

struct two_gateways {
    e2e::stack s{[] {
        e2e::stack::options o;
        o.with_worker = false;
        return o;
    }()};
    e2e::stack::other_gateway second = s.start_other_gateway();

    static two_gateways& shared() {
        static two_gateways instance;
        return instance;
    }
    int jobs() { return std::stoi(s.queue_redis().command({"ZCARD", "bull:scraping:prioritized"})); }
};

std::vector<std::string> key(const std::string& text) {
    return {"Idempotency-Key: " + text};
}

/// The key under which Redis knows the use of an Idempotency-Key that made this job: "ik-HASH-NONCE[-INDEX]".
std::string record_of(const std::string& job) {
    return "idempotency:" + job.substr(3, 32);
}

} // namespace

TEST_CASE("a repeated request gets the first one's answer, from every gateway", "[e2e][idempotency]") {
    auto& t = two_gateways::shared();
    const auto before = t.jobs();
    const auto body = t.s.scrape_body();
    const auto first = t.s.api().post("/scraping/start", body, key("\"order-1\""));
    REQUIRE(first.status == 202);
    CHECK(first.header("idempotent-replayed").empty());
    CHECK(text(first.json(), "job_id").starts_with("ik-"));
    const e2e::http_client there{t.second.url, t.s.api_key()};
    // Quotes, blanks and the order of members mean nothing.
    for (const auto& same :
         {body, R"({ "filters": {"shop":")" + t.s.shop_url() + R"("}, "source": "demo.shop" })"}) {
        const auto again = there.post("/scraping/start", same, key("order-1"));
        CHECK(again.status == 202);
        CHECK(again.body == first.body);
        CHECK(again.header("idempotent-replayed") == "true");
        CHECK(again.header("location") == first.header("location"));
        CHECK(again.header("content-type") == first.header("content-type"));
        CHECK_FALSE(again.header("ratelimit").empty());
    }
    CHECK(t.jobs() == before + 1);

    const auto other = there.post("/scraping/start", R"({"source":"demo.shop"})", key("order-1"));
    CHECK(other.status == 422);
    CHECK(text(other.json(), "code") == "idempotency_key_reused");
    // The key is the caller's and the route's own.
    const e2e::http_client bob{t.second.url, t.s.make_key("scrape", "bob@example.test")};
    const auto bobs = bob.post("/scraping/start", body, key("order-1"));
    CHECK(bobs.status == 202);
    CHECK(bobs.body != first.body);
    CHECK(t.s.api().post("/users", R"({"email":"new@example.test"})", key("order-1")).status == 201);
    CHECK(there.post("/users", R"({"email":"new@example.test"})", key("order-1")).status == 201);
}

TEST_CASE("of requests that race one runs", "[e2e][idempotency]") {
    auto& t = two_gateways::shared();
    const auto before = t.jobs();
    const auto body = t.s.scrape_body();
    std::mutex guard;
    std::multiset<int> statuses;
    std::set<std::string> jobs;
    for (int round = 0; round < 10; ++round) {
        std::vector<std::jthread> clients;
        for (int i = 0; i < 6; ++i)
            clients.emplace_back([&, i] {
                const e2e::http_client c{i % 2 ? t.s.gateway_url() : t.second.url, t.s.api_key()};
                const auto r = c.post("/scraping/start", body, key("race-" + std::to_string(round)));
                const std::scoped_lock lock{guard};
                statuses.insert(r.status);
                if (r.status == 202) jobs.insert(text(r.json(), "job_id"));
                if (r.status == 409) {
                    CHECK(text(r.json(), "code") == "request_in_progress");
                    CHECK(r.header("retry-after") == "1");
                }
            });
    }
    CHECK(jobs.size() == 10);
    CHECK(t.jobs() == before + 10);
    CHECK(statuses.count(202) + statuses.count(409) == 60);
}

TEST_CASE("a request that failed may be tried again under its key", "[e2e][idempotency]") {
    auto& t = two_gateways::shared();
    CHECK(t.s.api().post("/scraping/start", R"({"source":"no.such"})", key("typo")).status == 422);
    CHECK(t.s.api().post("/scraping/start", t.s.scrape_body(), key("typo")).status == 202);
}

TEST_CASE("a runner that died leaves the key to the next, and the job is not there twice",
          "[e2e][idempotency]") {
    auto& t = two_gateways::shared();
    const auto body = t.s.scrape_body();
    const auto first = t.s.api().post("/scraping/start", body, key("crash"));
    REQUIRE(first.status == 202);
    const auto job = text(first.json(), "job_id");
    const auto before = t.jobs();
    // As if the gateway had died between the enqueue and keeping the answer.
    const auto record = record_of(job);
    t.s.queue_redis().command({"HDEL", record, "status", "head", "body"});
    t.s.queue_redis().command({"HSET", record, "token", "of a dead one", "until", "99999999999999"});
    CHECK(t.s.api().post("/scraping/start", body, key("crash")).status == 409);
    t.s.queue_redis().command({"HSET", record, "until", "1"}); // its time has passed
    const auto again = t.s.api().post("/scraping/start", body, key("crash"));
    CHECK(again.status == 202);
    CHECK(text(again.json(), "job_id") == job);
    CHECK(t.jobs() == before);
    CHECK(t.s.api().post("/scraping/start", body, key("crash")).header("idempotent-replayed") == "true");
}

TEST_CASE("a key that is used again after its time starts another job", "[e2e][idempotency]") {
    auto& t = two_gateways::shared();
    const auto before = t.jobs();
    const auto first =
        text(t.s.api().post("/scraping/start", t.s.scrape_body(), key("nightly")).json(), "job_id");
    const auto record = record_of(first);
    CHECK(std::stoll(t.s.queue_redis().command({"PTTL", record})) > 23 * 3600'000);
    t.s.queue_redis().command({"DEL", record}); // its 24 hours are over; yesterday's job is still there
    const auto second = t.s.api().post("/scraping/start", t.s.scrape_body(), key("nightly"));
    CHECK(second.status == 202);
    CHECK(second.header("idempotent-replayed").empty());
    CHECK(text(second.json(), "job_id") != first);
    CHECK(t.jobs() == before + 2);
}

TEST_CASE("what is kept for a key is paid for with jobs", "[e2e][idempotency]") {
    auto& t = two_gateways::shared();
    const auto records = [&] {
        return std::stoi(
            t.s.queue_redis().command({"EVAL", "return #redis.call('KEYS', 'idempotency:*')", "0"}));
    };
    const auto before = records();
    std::string empty = R"({"items":[{})";
    for (int i = 1; i < 1000; ++i)
        empty += ",{}";
    const auto refused = t.s.api().post("/scraping/batch", empty + "]}", key("filler"));
    CHECK(refused.status == 422);
    CHECK(text(refused.json(), "code") == "batch_refused");
    CHECK(refused.json()["items"].get_array().size() == 1000);
    CHECK(records() == before); // nothing was done, so nothing is known of the key

    // One job among many problems: too long to keep, so it is made anew, for the same job.
    const auto one = empty + ',' + t.s.scrape_body() + "]}";
    CHECK(t.s.api().post("/scraping/batch", one, key("filler")).status == 422); // 1001 items
    const auto body = R"({"items":[)" + t.s.scrape_body() + empty.substr(empty.find("[{}") + 3) + "]}";
    const auto jobs = t.jobs();
    const auto first = t.s.api().post("/scraping/batch", body, key("filler"));
    REQUIRE(first.status == 202);
    CHECK(std::stoll(t.s.queue_redis().command(
              {"HLEN", record_of(text(first.json()["items"].at(0), "job_id"))})) == 2);
    const auto again = t.s.api().post("/scraping/batch", body, key("filler"));
    CHECK(again.status == 202);
    CHECK(text(again.json()["items"].at(0), "job_id") == text(first.json()["items"].at(0), "job_id"));
    CHECK(t.jobs() == jobs + 1);

    // A batch that is accepted as a whole is kept as a whole.
    std::string good = R"({"items":[)" + t.s.scrape_body();
    for (int i = 1; i < 200; ++i)
        good += ',' + t.s.scrape_body();
    CHECK(t.s.api().post("/scraping/batch", good + "]}", key("whole")).status == 202);
    CHECK(t.s.api().post("/scraping/batch", good + "]}", key("whole")).header("idempotent-replayed") ==
          "true");
}

TEST_CASE("a key that is none is refused", "[e2e][idempotency]") {
    auto& t = two_gateways::shared();
    const auto before = t.jobs();
    const auto body = t.s.scrape_body();
    for (const auto& headers : {key(std::string(256, 'k')), key("a b"), key("\"\""), key("\xc3\xa4"),
                                std::vector<std::string>{"Idempotency-Key: a", "Idempotency-Key: b"}}) {
        const auto r = t.s.api().post("/scraping/start", body, headers);
        CHECK(r.status == 400);
        CHECK(text(r.json(), "code") == "bad_idempotency_key");
    }
    CHECK(t.jobs() == before);
    CHECK(t.s.api().post("/scraping/start", body, key(std::string(255, 'k'))).status == 202);
}
