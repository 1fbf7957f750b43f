#include "raw_client.hpp"
#include "running_server.hpp"
#include "sample_routes.hpp"

#include <tiktrend/testing/process.hpp>

#include <catch2/catch.hpp>
#include <sys/resource.h>

#include <chrono>
#include <fstream>

using namespace tiktrend;
using namespace tiktrend::testing;
using namespace std::chrono_literals;

namespace {
#if defined(__has_feature) && __has_feature(address_sanitizer)
constexpr std::size_t most_bytes_per_connection = 30'000; // with the sanitizer's red zones
#elif defined(__has_feature) && __has_feature(thread_sanitizer)
constexpr std::size_t most_bytes_per_connection = 60'000; // with the sanitizer's shadow of each word
#else
constexpr std::size_t most_bytes_per_connection = 12'000; // the client's side of the test included
#endif
} // namespace

TEST_CASE("pipelined requests are answered in order", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    std::string all;
    for (int i = 0; i < 200; ++i) {
        all += get("/items/" + std::to_string(i));
        if (i % 20 == 0)
            all += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" + get("/big") +
                   get("/missing");
    }
    c.send(all);
    for (int i = 0; i < 200; ++i) {
        REQUIRE(c.read().body == std::to_string(i));
        if (i % 20 == 0) {
            REQUIRE(c.read().body == "POST /echo body");
            REQUIRE(c.read().body.size() == big_size);
            REQUIRE(c.read().status == 404);
        }
    }
}

TEST_CASE("an answer does not wait for the handler of the next request", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send(get("/hello") + get("/slow?ms=1500"));
    const auto start = std::chrono::steady_clock::now();
    CHECK(c.read().body == "hello");
    CHECK(std::chrono::steady_clock::now() - start < 1s);
    CHECK(c.read().body == "slow");
}

TEST_CASE("an answer does not wait for the rest of the next request", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send(get("/hello") + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    CHECK(c.read().body == "hello");
    c.send("dy" + get("/hello").substr(0, 7));
    CHECK(c.read().body == "POST /echo body");
    c.send(get("/hello").substr(7));
    CHECK(c.read().body == "hello");
}

TEST_CASE("nothing after Connection: close is answered", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send(get("/hello", "Connection: close\r\n") + get("/items/1"));
    CHECK(c.read().body == "hello");
    CHECK(c.read_all().empty());
}

TEST_CASE("requests arrive whole however they are cut", "[integration][http]") {
    running_server s{sample_routes()};
    const std::string request =
        "POST /echo?q=1 HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n6\r\n world\r\n0\r\nT: t\r\n\r\n";
    raw_client c{s.port()};
    for (std::size_t cut = 1; cut < request.size(); ++cut) {
        c.send(request.substr(0, cut));
        c.send(request.substr(cut));
        REQUIRE(c.read().body == "POST /echo?q=1 hello world");
    }
    for (const char byte : request + request)
        c.send({&byte, 1});
    for (int i = 0; i < 2; ++i)
        CHECK(c.read().body == "POST /echo?q=1 hello world");
}

TEST_CASE("a client that has said all it will is still answered", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send(get("/slow?ms=100") + get("/items/7"));
    c.shutdown_send();
    CHECK(c.read().body == "slow");
    CHECK(c.read().body == "7");
    CHECK(c.wait_end(5s) == raw_client::ending::orderly);
    CHECK(poll_until([&] { return s.connections() == 0; }));
}

TEST_CASE("clients may leave at any moment", "[integration][http]") {
    running_server s{sample_routes()};
    const std::string post = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc";
    for (const auto& bytes : {std::string{}, std::string{"GET /he"}, post, get("/slow?ms=50"), get("/big"),
                              get("/events"), get("/hello") + get("/hello")})
        for (const bool with_reset : {false, true}) {
            raw_client c{s.port()};
            c.send(bytes);
            c.close(with_reset);
        }
    CHECK(poll_until([&] { return s.connections() == 0; }));
    CHECK(poll_until([&] { return s.requests_in_flight() == 0; }));
    CHECK(fetch(s.port(), get("/hello")).status == 200);
    CHECK(s.log().find("http_connection_failed") == std::string::npos);
}

TEST_CASE("thousands of idle connections cost little and do not slow others", "[integration][http]") {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 4200) {
        WARN("skipped: only " << limit.rlim_cur << " descriptors");
        return;
    }
    const auto resident = [] {
        std::ifstream in{"/proc/self/statm"};
        std::size_t total = 0, pages = 0;
        in >> total >> pages;
        return pages * 4096;
    };
    http::server_options o;
    o.max_connections_per_address = 0;
    running_server s{sample_routes(), o};
    CHECK(fetch(s.port(), get("/hello")).status == 200);
    const auto before = resident();
    std::vector<raw_client> idle;
    for (int i = 0; i < 2000; ++i) {
        idle.emplace_back(s.port());
        if (i % 2 == 0) { // half of them were used before
            idle.back().send(get("/hello"));
            REQUIRE(idle.back().read().status == 200);
        }
    }
    CHECK(poll_until([&] { return s.connections() == 2000; }));
    CHECK((resident() - before) / 2000 < most_bytes_per_connection);
    const auto start = std::chrono::steady_clock::now();
    raw_client c{s.port()};
    for (int i = 0; i < 500; ++i) {
        c.send(get("/hello"));
        REQUIRE(c.read().status == 200);
    }
    CHECK(std::chrono::steady_clock::now() - start < 5s);
    for (auto& each : idle) {
        each.send(get("/items/1"));
        REQUIRE(each.read().body == "1");
    }
}
