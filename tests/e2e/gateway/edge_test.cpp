// The gateway's outer edge: browsers' pages, log lines, certificates, load balancers.
#include "gateway/copy_endpoint_double.hpp"
#include "stack.hpp"

#include <tiktrend/testing/server_certificate.hpp>

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <thread>

using namespace tiktrend;
using e2e::text;
using namespace std::chrono_literals;

namespace {

e2e::stack& shared() {
    static e2e::stack instance{[] {
        e2e::stack::options o;
        o.with_worker = false;
        o.gateway = {{"CORS_ORIGINS", "https://app.example.test, http://localhost:3000"},
                     {"TRUSTED_PROXIES", "127.0.0.1"}};
        return o;
    }()};
    return instance;
}

} // namespace

TEST_CASE("pages of listed origins may call the API", "[e2e][edge]") {
    auto& s = shared();
    const auto pre =
        s.anonymous().send("OPTIONS", "/scraping/start", {},
                           {"Origin: https://app.example.test", "Access-Control-Request-Method: POST",
                            "Access-Control-Request-Headers: authorization,idempotency-key"});
    CHECK(pre.status == 204);
    CHECK(pre.header("access-control-allow-origin") == "https://app.example.test");
    CHECK(pre.header("access-control-allow-methods").find("POST") != std::string::npos);
    CHECK(pre.header("access-control-allow-headers").find("Idempotency-Key") != std::string::npos);
    CHECK(pre.header("access-control-max-age") == "600");
    CHECK(pre.header("access-control-allow-credentials").empty());
    CHECK(pre.header("vary").find("Origin") != std::string::npos);

    const auto got = s.api().get("/products", {"Origin: http://localhost:3000"});
    CHECK(got.status == 200);
    CHECK(got.header("access-control-allow-origin") == "http://localhost:3000");
    CHECK(got.header("access-control-expose-headers").find("ETag") != std::string::npos);
    CHECK(got.header("vary").find("Origin") != std::string::npos);
    CHECK(got.header("vary").find("Accept-Encoding") != std::string::npos);
    // Errors too, or a page could not tell what was wrong.
    const auto no = s.anonymous().get("/products", {"Origin: http://localhost:3000"});
    CHECK(no.status == 401);
    CHECK(no.header("access-control-allow-origin") == "http://localhost:3000");
    for (const auto* other :
         {"Origin: https://evil.test", "Origin: null", "Origin: https://app.example.test.evil.test",
          "Origin: http://app.example.test"})
        CHECK(s.api().get("/products", {other}).header("access-control-allow-origin").empty());
}

TEST_CASE("each request leaves one line, without secrets", "[e2e][edge]") {
    auto& s = shared();
    const auto r = s.api().get("/products?limit=2&source=a-private-filter",
                               {"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                "X-Request-Id: my-request-1", "User-Agent: edge-test"});
    CHECK(r.status == 200);
    CHECK(r.header("x-request-id") == "my-request-1");
    std::string line;
    CHECK(testing::poll_until([&] {
        std::ifstream in{s.gateway_log()};
        while (std::getline(in, line))
            if (line.find("my-request-1") != std::string::npos) return true;
        return false;
    }));
    INFO(line);
    for (const auto* part :
         {R"("event":"http_request")", R"("ts":")", R"("request_id":"my-request-1")",
          R"("trace_id":"0af7651916cd43dd8448eb211c80319c")", R"("method":"GET")", R"("route":"/products")",
          R"("path":"/products")", R"("status":200)", R"("duration_ms":)", R"("bytes_in":)",
          R"("bytes_out":)", R"("client_ip":"127.0.0.1")", R"("user_agent":"edge-test")",
          R"("principal":"user:)", R"("cache":")"})
        CHECK(line.find(part) != std::string::npos);
    CHECK(line.find("a-private-filter") == std::string::npos);
    CHECK(e2e::read_file(s.gateway_log()).find(s.api_key()) == std::string::npos);
}

TEST_CASE("with too many requests inside the next is refused at once; health answers", "[e2e][edge]") {
    e2e::copy_endpoint_double endpoint;
    e2e::stack::options o;
    o.with_worker = false;
    o.gateway = {{"HTTP_MAX_IN_FLIGHT", "1"},
                 {"GATEWAY_THREADS", "1"},
                 {"COPY_BASE_URL", endpoint.url()},
                 {"COPY_MODEL", "m"},
                 {"COPY_TIMEOUT", "5s"}};
    e2e::stack s{o};
    const auto id = s.database().execute(
        "e2e", "INSERT INTO products (source, external_id, kind, title, content_hash, scraped_at) "
               "VALUES ('demo.shop', '1', 'product', 'Lamp', 1, now()) RETURNING id");
    endpoint.then({{e2e::copy_endpoint_double::step::what::silence, 0, {}}});
    std::jthread inside{[&] { s.api().post("/copy", R"({"product_id":)" + id + '}'); }};
    REQUIRE(testing::poll_until([&] { return endpoint.calls() == 1; }));
    const auto r = s.api().get("/products");
    CHECK(r.status == 503);
    CHECK(text(r.json(), "code") == "overloaded");
    CHECK(r.header("retry-after") == "1");
    CHECK(s.api().get("/health/ready").status == 200);
    inside.join();
    CHECK(s.api().get("/products").status == 200);
}

TEST_CASE("certificates are read again on SIGHUP and when their files change", "[e2e][edge]") {
    testing::temp_dir dir;
    const auto chain = (dir.path() / "chain.pem").string(), key = (dir.path() / "key.pem").string();
    testing::make_server_certificate(chain, key, "localhost");
    auto& s = shared();
    const auto g = s.start_other_gateway(
        {{"TLS_CERT_FILE", chain}, {"TLS_KEY_FILE", key}, {"TLS_RELOAD_INTERVAL", "200ms"}});
    const auto port = g.url.substr(g.url.rfind(':') + 1);
    const auto works_with = [&](const std::string& trusted) {
        testing::process::options quiet;
        quiet.output = dir.path() / "curl.out";
        return testing::run({"curl", "--silent", "--fail", "--noproxy", "*", "--cacert", trusted, "--resolve",
                             "localhost:" + port + ":127.0.0.1",
                             "https://localhost:" + port + "/health/live"},
                            quiet) == 0;
    };
    CHECK(testing::poll_until([&] { return works_with(chain); }));
    const auto old = (dir.path() / "old.pem").string();
    std::filesystem::copy_file(chain, old);
    testing::make_server_certificate(chain, key, "localhost");
    CHECK(testing::poll_until([&] { return works_with(chain); }, 20s)); // by itself
    CHECK_FALSE(works_with(old));

    std::filesystem::copy_file(chain, old, std::filesystem::copy_options::overwrite_existing);
    std::ofstream{key} << "nonsense";
    g.child.signal(SIGHUP);
    CHECK(testing::poll_until(
        [&] { return e2e::read_file(g.log).find("certificates_not_reloaded") != std::string::npos; }, 20s));
    CHECK(works_with(old)); // the good one goes on
    const auto metrics = e2e::http_client{g.metrics_url}.get("/metrics").body;
    CHECK(metrics.find("tls_reloads_total{result=\"ok\"}") != std::string::npos);
    CHECK(metrics.find("tls_reloads_total{result=\"failed\"}") != std::string::npos);
    CHECK(metrics.find("tls_certificate_expiry_timestamp_seconds ") != std::string::npos);
}
