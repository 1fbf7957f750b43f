// Rate limits over two gateways, with and without Redis.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace tiktrend;
using e2e::text;

namespace {

e2e::stack::options with_limits(std::map<std::string, std::string> gateway) {
    e2e::stack::options o;
    o.with_worker = false;
    o.gateway = std::move(gateway);
    return o;
}

/// 200 answers among `n` requests a client, from `clients` clients on both gateways.
int accepted(const std::string& first, const std::string& second, const std::string& key, int clients,
             int n) {
    std::atomic<int> good = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < clients; ++i)
        threads.emplace_back([&, i] {
            const e2e::http_client c{i % 2 ? first : second, key};
            for (int k = 0; k < n; ++k)
                if (c.get("/users/me").status == 200) ++good;
        });
    threads.clear();
    return good;
}

} // namespace

TEST_CASE("a limit holds over two gateways, for all keys of a user together", "[e2e][limits]") {
    e2e::stack s{with_limits({{"RATE_LIMIT_ACCOUNT", "40/24h"}, {"RATE_LIMIT_READ", "12000/1m"}})};
    const auto second = s.start_other_gateway();
    const auto key = s.make_key("read", "ann@example.test");
    const auto other_key = s.make_key("read", "ann@example.test");
    const e2e::http_client ann{s.gateway_url(), key};
    const auto r = ann.get("/users/me");
    CHECK(r.status == 200);
    CHECK(r.header("ratelimit-policy") == R"("account";q=40;w=86400)");
    CHECK(r.header("ratelimit") == R"("account";r=39;t=2160)");
    // One permit comes back in 36 minutes, so exactly 39 are left.
    CHECK(accepted(s.gateway_url(), second.url, key, 8, 10) == 39);
    const auto refused = e2e::http_client{second.url, other_key}.get("/users/me");
    CHECK(refused.status == 429);
    CHECK(text(refused.json(), "code") == "rate_limited");
    CHECK(text(refused.json(), "type") == "https://iana.org/assignments/http-problem-types#quota-exceeded");
    CHECK(refused.body.find(R"("violated-policies":["account"])") != std::string::npos);
    CHECK(refused.header("ratelimit-policy") == R"("account";q=40;w=86400)");
    CHECK(refused.header("ratelimit").starts_with(R"("account";r=0;t=)"));
    const auto wait = std::stoi(refused.header("retry-after"));
    CHECK(wait > 2000);
    CHECK(wait <= 2160);
    // Other classes and other users have their own.
    CHECK(ann.get("/products").status == 200);
    CHECK(ann.get("/products").header("ratelimit").starts_with(R"("read";r=11)"));
    CHECK(s.api().get("/users/me").status == 200);
    CHECK(s.metrics().get("/metrics").body.find("rate_limit_refusals_total{policy=\"account\"}") !=
          std::string::npos);
    // Problems tell what is left, too.
    CHECK(s.api().get("/api-keys?user_id=x").header("ratelimit").starts_with(R"("account";r=)"));
}

TEST_CASE("a large limit is never exceeded and hardly wasted", "[e2e][limits]") {
    e2e::stack s{with_limits({{"RATE_LIMIT_ACCOUNT", "1000/24h"}})};
    const auto second = s.start_other_gateway();
    const auto key = s.make_key("read", "ann@example.test");
    const int good = accepted(s.gateway_url(), second.url, key, 8, 150);
    CHECK(good <= 1001); // one comes back in 86 s
    CHECK(good >= 1000 - 4 * 1000 / 64);
}

TEST_CASE("permits come back evenly", "[e2e][limits]") {
    e2e::stack s{with_limits({{"RATE_LIMIT_ACCOUNT", "10/2s"}})};
    for (int i = 0; i < 10; ++i)
        s.api().get("/users/me");
    CHECK(testing::poll_until([&] { return s.api().get("/users/me").status == 429; }));
    CHECK(testing::poll_until([&] { return s.api().get("/users/me").status == 200; }));
}

TEST_CASE("without Redis limits pass or refuse, as configured", "[e2e][limits]") {
    const bool is_closed = GENERATE(false, true);
    e2e::stack s{with_limits(
        {{"RATE_LIMIT_ACCOUNT", "5/24h"}, {"RATE_LIMIT_WITHOUT_REDIS", is_closed ? "closed" : "open"}})};
    CHECK(s.api().get("/users/me").status == 200);
    s.cache_redis().kill();
    for (int i = 0; i < 10; ++i) {
        const auto r = s.api().get("/users/me");
        INFO(r.body);
        CHECK(r.status == (is_closed ? 503 : 200));
        if (is_closed)
            CHECK_FALSE(r.header("retry-after").empty());
        else
            CHECK(r.header("ratelimit").empty());
    }
    CHECK(s.metrics().get("/metrics").body.find("\nrate_limit_errors_total 0\n") == std::string::npos);
    s.cache_redis().start();
    CHECK(testing::poll_until([&] { return !s.api().get("/users/me").header("ratelimit").empty(); }));
}

TEST_CASE("guessing is limited by address, whoever is known is not", "[e2e][limits]") {
    e2e::stack s{with_limits(
        {{"RATE_LIMIT_FAILED_AUTH", "6/24h"}, {"TRUSTED_PROXIES", "127.0.0.1"}, {"GATEWAY_THREADS", "1"}})};
    // Behind the address that will be guessed from.
    const auto neighbour = [&] { return s.api().get("/users/me", {"X-Forwarded-For: 192.0.2.1"}).status; };
    CHECK(neighbour() == 200);
    CHECK(s.api().get("/users/me").status == 200);
    const auto guess = [&](const std::string& from, int i) {
        const auto id = std::to_string(10'000'000 + i);
        return s.anonymous().get("/users/me", {"X-Forwarded-For: " + from, "Authorization: Bearer ttk_" + id +
                                                                               "_" + std::string(43, 'x')});
    };
    for (int i = 0; i < 6; ++i)
        CHECK(guess("192.0.2.1", i).status == 401);
    const auto refused = guess("192.0.2.1", 7);
    CHECK(refused.status == 429);
    CHECK(refused.header("ratelimit-policy") == R"("failed-auth";q=6;w=86400)");
    CHECK_FALSE(refused.header("retry-after").empty());
    CHECK(guess("192.0.2.2", 8).status == 401);
    // Whoever was known there lately is looked up all the same, and stays out once the key has ended.
    // A gateway that hears nothing of revocations for a moment forgets what it remembered.
    const auto follower = [&] { return s.cache_redis().command({"CLIENT", "LIST", "TYPE", "pubsub"}); };
    const auto id_of = [](const std::string& client) { return client.substr(0, client.find(' ')); };
    const auto before = id_of(follower());
    s.cache_redis().command({"CLIENT", "KILL", "TYPE", "pubsub"});
    REQUIRE(
        testing::poll_until([&] { return follower().starts_with("id=") && id_of(follower()) != before; }));
    CHECK(neighbour() == 200);
    const auto later = s.make_key("read", "later@example.test");
    const e2e::http_client unknown{s.gateway_url(), later};
    CHECK(unknown.get("/users/me", {"X-Forwarded-For: 192.0.2.1"}).status == 429);
    // One subscriber has a whole /64.
    for (int i = 0; i < 6; ++i)
        guess("2001:db8:1:2::" + std::to_string(i + 1), i);
    CHECK(guess("2001:db8:1:2:9:9:9:9", 7).status == 429);
    CHECK(guess("2001:db8:1:3::1", 7).status == 401);
    CHECK(s.anonymous().get("/users/me", {"X-Forwarded-For: 192.0.2.1"}).status ==
          401); // nothing was guessed
    CHECK(s.api().get("/users/me").status == 200);
}

TEST_CASE("a balancer that is not named as one is noticed", "[e2e][limits]") {
    e2e::stack s{with_limits({})};
    const auto warnings = [&] {
        const auto log = e2e::read_file(s.gateway_log());
        int n = 0;
        for (std::size_t at = 0; (at = log.find("forwarded_for_not_believed", at)) != std::string::npos; ++at)
            ++n;
        return n;
    };
    s.anonymous().get("/health/live");
    CHECK(warnings() == 0);
    for (int i = 0; i < 20; ++i)
        s.anonymous().get("/health/live", {"X-Forwarded-For: 192.0.2.1"});
    CHECK(testing::poll_until([&] { return warnings() >= 1; }));
    CHECK(warnings() <= 2); // once a thread
}
