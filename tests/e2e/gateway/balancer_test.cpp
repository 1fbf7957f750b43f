// haproxy in front of two gateways that are restarted one after the other under load.
#include "stack.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

using namespace tiktrend;
using namespace std::chrono_literals;

namespace {

struct balancer {
    testing::temp_dir dir;
    std::string port = std::to_string(testing::free_port());
    std::string stats_port = std::to_string(testing::free_port());
    testing::process child;

    /// `more` goes to every server line.
    balancer(const std::vector<std::string>& gateway_ports, const std::string& more) {
        std::ofstream c{dir.path() / "haproxy.cfg"};
        c << "defaults\n  mode http\n  timeout connect 2s\n  timeout client 30s\n  timeout server 30s\n"
             "  retries 3\n  option redispatch\n  option forwardfor\n"
             "frontend stats\n  bind 127.0.0.1:"
          << stats_port << "\n  stats enable\n  stats uri /stats\n"
          << "frontend public\n  bind 127.0.0.1:" << port << "\n  default_backend gateways\n"
          << "backend gateways\n  option httpchk GET /health/serving\n  default-server check inter 200ms "
             "fall 1 rise 1 "
          << more << '\n';
        for (std::size_t i = 0; i < gateway_ports.size(); ++i)
            c << "  server gw" << i << " 127.0.0.1:" << gateway_ports[i] << '\n';
        c.close();
        testing::process::options o;
        o.output = dir.path() / "haproxy.log";
        child = testing::process{{"haproxy", "-db", "-f", (dir.path() / "haproxy.cfg").string()}, o};
    }
    std::string url() const { return "http://127.0.0.1:" + port; }
    bool sees_up(std::size_t gateway) const {
        const auto csv = e2e::http_client{"http://127.0.0.1:" + stats_port}.get("/stats;csv").body;
        const auto at = csv.find("gateways,gw" + std::to_string(gateway) + ',');
        if (at == std::string::npos) return false;
        const auto row = csv.substr(at, csv.find('\n', at) - at);
        // Servers count as up before their first check too; a check that passed says L7OK.
        return row.find(",UP,") != std::string::npos && row.find("L7OK") != std::string::npos;
    }
};

} // namespace

TEST_CASE("gateways behind haproxy are restarted one at a time without a failed request", "[e2e][balancer]") {
    e2e::stack::options o;
    o.with_worker = false;
    e2e::stack s{o};
    const std::vector<std::string> ports{std::to_string(testing::free_port()),
                                         std::to_string(testing::free_port())};
    const auto start = [&](std::size_t i) {
        return s.start_other_gateway({{"GATEWAY_PORT", ports[i]},
                                      {"LAME_DUCK", "2s"},
                                      {"DRAIN_TIMEOUT", "20s"},
                                      {"RATE_LIMIT_READ", "off"},
                                      {"RATE_LIMIT_SCRAPE", "off"}});
    };
    std::vector<e2e::stack::other_gateway> gateways;
    gateways.push_back(start(0));
    gateways.push_back(start(1));
    balancer front{ports, ""};
    REQUIRE(testing::poll_until([&] { return front.sees_up(0) && front.sees_up(1); }, 30s));

    std::atomic<bool> over = false;
    std::atomic<int> good = 0, bad = 0;
    std::atomic<int> last_bad = 0;
    std::vector<std::jthread> clients;
    for (int i = 0; i < 6; ++i)
        clients.emplace_back([&, i] {
            const e2e::http_client c{front.url(), s.api_key()};
            while (!over) {
                const auto status = i % 3 == 0 ? c.post("/scraping/start", s.scrape_body()).status
                                               : c.get("/products?limit=5").status;
                if (status == 200 || status == 202) {
                    ++good;
                } else {
                    ++bad;
                    last_bad = status;
                }
            }
        });
    for (int round = 0; round < 2; ++round)
        for (std::size_t i = 0; i < 2; ++i) {
            const auto before = good.load();
            gateways[i].child.signal(SIGTERM);
            CHECK(gateways[i].child.wait(60s) == 0);
            gateways[i] = start(i);
            CHECK(testing::poll_until([&] { return front.sees_up(i) && good > before + 50; }, 60s));
        }
    over = true;
    clients.clear();
    INFO("last bad status " << last_bad);
    CHECK(bad == 0);
    CHECK(good > 200);
}

TEST_CASE("the outage of the queue's Redis leaves reads to the balancer", "[e2e][balancer]") {
    e2e::stack::options o;
    o.with_worker = false;
    e2e::stack s{o};
    const auto port = std::to_string(testing::free_port());
    const auto g = s.start_other_gateway({{"GATEWAY_PORT", port}});
    balancer front{{port}, ""};
    REQUIRE(testing::poll_until([&] { return front.sees_up(0); }, 30s));
    const e2e::http_client c{front.url(), s.api_key()};
    REQUIRE(c.get("/products").status == 200);
    s.queue_redis().stop();
    const e2e::http_client direct{g.url, s.api_key()};
    REQUIRE(testing::poll_until([&] { return direct.get("/health/ready").status == 503; }, 20s));
    // Each thread looks once a second at most.
    CHECK(testing::poll_until(
        [&] { return direct.get("/health/serving").body.find("degraded") != std::string::npos; }));
    // Longer than the balancer needs to take a server out: five of its checks.
    const auto end = std::chrono::steady_clock::now() + 1s;
    do
        CHECK(c.get("/products").status == 200);
    while (std::chrono::steady_clock::now() < end);
    CHECK(front.sees_up(0));
    CHECK(c.post("/scraping/start", s.scrape_body()).status == 503);
}

TEST_CASE("haproxy tells who the client is by the PROXY protocol", "[e2e][balancer]") {
    e2e::stack::options o;
    o.with_worker = false;
    e2e::stack s{o};
    const auto port = std::to_string(testing::free_port());
    const auto g = s.start_other_gateway(
        {{"GATEWAY_PORT", port}, {"PROXY_PROTOCOL", "true"}, {"TRUSTED_PROXIES", "127.0.0.1"}});
    balancer front{{port}, "send-proxy-v2 check-send-proxy"};
    REQUIRE(testing::poll_until([&] { return front.sees_up(0); }, 30s));
    const e2e::http_client c{front.url(), s.api_key()};
    CHECK(c.get("/products").status == 200);
    CHECK(testing::poll_until(
        [&] { return e2e::read_file(g.log).find(R"("route":"/products")") != std::string::npos; }));
    CHECK(e2e::read_file(g.log).find(R"("client_ip":"127.0.0.1")") != std::string::npos);
    CHECK(e2e::http_client{g.url, s.api_key()}.get("/products").status == 0); // not past the balancer
}
