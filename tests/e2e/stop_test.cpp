#include "stack.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {
e2e::stack::options without_worker() {
    e2e::stack::options o;
    o.with_worker = false;
    return o;
}
} // namespace

TEST_CASE("a gateway that drains answers what comes, then exits 0", "[e2e]") {
    auto o = without_worker();
    o.gateway["LAME_DUCK"] = "1s";
    e2e::stack s{o};
    std::atomic<bool> stop{false};
    std::atomic<int> good{0}, bad{0};
    std::thread client{[&] {
        while (!stop) {
            const auto r = s.api().get("/products");
            if (r.status == 200)
                ++good;
            else if (r.status !=
                     0) // refused connections after the listener closed are what a load balancer expects
                ++bad;
        }
    }};
    testing::poll_until([&] { return good > 20; });
    s.gateway().signal(SIGTERM);
    CHECK(testing::poll_until([&] { return s.anonymous().get("/health/ready").status == 503; }, 1s));
    const auto during = s.api().get("/products");
    CHECK(during.status == 200);
    CHECK(during.header("connection") == "close");
    const auto status = s.gateway().wait(10s);
    stop = true;
    client.join();
    CHECK(status == 0);
    CHECK(bad == 0);
}

TEST_CASE("a gateway stops in time when Redis and PostgreSQL are gone", "[e2e]") {
    e2e::stack s{without_worker()};
    s.queue_redis().kill();
    s.cache_redis().kill();
    s.database().kill();
    CHECK(s.api().post("/scraping/start", s.scrape_body()).status == 503);
    s.gateway().signal(SIGINT);
    CHECK(s.gateway().wait(12s) == 0);
}

TEST_CASE("a second signal ends the gateway at once", "[e2e]") {
    auto o = without_worker();
    o.gateway["LAME_DUCK"] = "1m";
    e2e::stack s{o};
    s.gateway().signal(SIGTERM);
    CHECK(testing::poll_until([&] { return s.anonymous().get("/health/ready").status == 503; }));
    s.gateway().signal(SIGTERM);
    CHECK(s.gateway().wait(10s) == 0);
}

TEST_CASE("a gateway that is scraped all the time ends in time too", "[e2e]") {
    e2e::stack::options o;
    o.with_worker = false;
    e2e::stack s{o};
    std::vector<std::thread> scrapers;
    for (int i = 0; i < 4; ++i)
        scrapers.emplace_back([&m = s.metrics()] {
            while (m.get("/metrics").status != 0) {
            }
        });
    CHECK(testing::poll_until([&] { return s.metrics().get("/metrics").status == 200; }));
    s.gateway().signal(SIGTERM);
    CHECK(s.gateway().wait(std::chrono::seconds{10}) == 0);
    s.gateway().kill(); // so that the threads end in any case
    for (auto& t : scrapers)
        t.join();
}

TEST_CASE("a gateway that never saw its servers ends in time too", "[e2e]") {
    const testing::temp_dir dir;
    const auto nowhere = "unix://" + (dir.path() / "nobody.sock").string();
    const auto ports = dir.path() / "ports";
    testing::process::options o;
    o.environment = {
        {"REDIS_QUEUE_URL", nowhere},
        {"REDIS_CACHE_URL", nowhere},
        {"DATABASE_URL", "postgresql:///nobody?host=" + dir.path().string()},
        {"SOURCES_DIR", std::string{std::getenv("TIKTREND_SOURCE_DIR")} + "/apps/worker/sources"},
        {"GATEWAY_ADDRESS", "127.0.0.1"},
        {"GATEWAY_PORT", "0"},
        {"METRICS_PORT", "0"},
        {"LAME_DUCK", "0ms"},
        {"PORT_FILE", ports.string()}};
    o.output = dir.path() / "log";
    testing::process gateway{{std::string{std::getenv("TIKTREND_BIN_DIR")} + "/tiktrend-gateway"}, o};
    REQUIRE(testing::poll_until([&] { return std::filesystem::exists(ports); }, 20s));
    gateway.signal(SIGTERM);
    CHECK(gateway.wait(15s) == 0);
    const auto log = e2e::read_file(o.output);
    INFO(log.substr(0, 4000));
    CHECK(std::count(log.begin(), log.end(), '\n') < 100); // it does not fill the disk meanwhile
}
