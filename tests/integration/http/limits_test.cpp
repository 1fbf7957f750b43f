#include "raw_client.hpp"
#include "running_server.hpp"
#include "sample_routes.hpp"

#include <tiktrend/testing/process.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using namespace tiktrend;
using namespace tiktrend::testing;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

/// Sends `piece` every `pause` until the server answers or `limit` has passed.
raw_response send_slowly(raw_client& c, std::string_view piece, std::chrono::milliseconds pause, int pieces) {
    for (int i = 0; i < pieces; ++i) {
        if (!c.try_send(piece)) break;
        c.patience = pause;
        try {
            return c.read();
        } catch (const std::runtime_error&) { // no answer yet
        }
    }
    c.patience = 5s;
    return c.read();
}

} // namespace

TEST_CASE("sizes are limited, each with its status", "[integration][http]") {
    running_server s{sample_routes()};
    const auto status = [&](const std::string& bytes) {
        raw_client c{s.port()};
        c.try_send(bytes);
        return c.read().status;
    };
    const auto target = [](std::size_t size) { return "/echo?" + std::string(size - 6, 'a'); };
    CHECK(status(get(target(8192))) == 200);
    CHECK(status(get(target(8193))) == 414);
    CHECK(status("GET " + target(200'000)) == 414);
    CHECK(status(get("/hello", "X: " + std::string(16'300, 'b') + "\r\n")) == 200);
    CHECK(status(get("/hello", "X: " + std::string(16'400, 'b') + "\r\n")) == 431);
    CHECK(status("GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(200'000, 'b')) == 431);
    const auto fields = [](int n) {
        std::string out;
        for (int i = 0; i < n; ++i)
            out += "A: b\r\n";
        return out;
    };
    CHECK(status(get("/hello", fields(99))) == 200); // and Host
    CHECK(status(get("/hello", fields(100))) == 431);
    const auto post = [](std::size_t size) {
        return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
               std::string(size, 'c');
    };
    CHECK(status(post(1U << 20)) == 200);
    CHECK(status(post((1U << 20) + 1)) == 413);
    CHECK(status("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n") == 413);
    std::string chunks = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 17; ++i)
        chunks += "10000\r\n" + std::string(65536, 'd') + "\r\n";
    CHECK(status(chunks) == 413);
    CHECK(status("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;" +
                 std::string(100'000, 'e')) == 400);
    CHECK(status("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " +
                 std::string(100'000, 'f')) == 400);
}

TEST_CASE("bodies of all connections together are limited", "[integration][http]") {
    http::server_options o;
    o.max_bodies_bytes = 100'000;
    running_server s{sample_routes(), o};
    const auto head = [](std::size_t size) {
        return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
    };
    const auto post = [&] {
        raw_client c{s.port()};
        c.try_send(head(40'000) + std::string(40'000, 'b'));
        return c.read();
    };
    CHECK(post().status == 200);
    raw_client slow{s.port()};
    slow.send(head(80'000) + std::string(70'000, 'a'));
    raw_response refused;
    REQUIRE(
        poll_until([&] { return (refused = post()).status == 503; })); // once the slow one's bytes are read
    CHECK(refused.headers.at("retry-after") == "1");
    CHECK(refused.body.find(R"("code":"overloaded")") != std::string::npos);
    slow.send(std::string(10'000, 'a'));
    CHECK(slow.read().status == 200);
    CHECK(poll_until([&] { return post().status == 200; })); // nobody holds anything any more
}

TEST_CASE("a slow header is cut off at a deadline that no byte moves", "[integration][http]") {
    http::server_options o;
    o.header_timeout = 300ms;
    running_server s{sample_routes(), o};
    raw_client c{s.port()};
    c.send("GET /hello HTTP/1.1\r\nHost: a\r\n");
    const auto start = clock_type::now();
    const auto r = send_slowly(c, "X: y\r\n", 50ms, 40);
    const auto took = clock_type::now() - start;
    CHECK(r.status == 408);
    CHECK(r.headers.at("connection") == "close");
    CHECK(r.headers.at("content-type") == "application/problem+json");
    CHECK(took >= 250ms);
    CHECK(took < 1500ms);
    CHECK(c.wait_end(3s) == raw_client::ending::orderly);
}

TEST_CASE("a second request on the connection has its own header deadline", "[integration][http]") {
    http::server_options o;
    o.header_timeout = 200ms;
    running_server s{sample_routes(), o};
    raw_client c{s.port()};
    c.send(get("/hello"));
    CHECK(c.read().status == 200);
    c.send(get("/slow?ms=400")); // the handler's time does not count
    CHECK(c.read().status == 200);
    c.send("GET /hel");
    CHECK(c.read().status == 408);
}

TEST_CASE("a body has a deadline and a least rate", "[integration][http]") {
    http::server_options o;
    o.body_timeout = 400ms;
    o.body_min_bytes_per_second = 0;
    running_server whole{sample_routes(), o};
    raw_client stalled{whole.port()};
    stalled.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    auto start = clock_type::now();
    CHECK(send_slowly(stalled, std::string(1000, 'x'), 50ms, 60).status == 408);
    CHECK(clock_type::now() - start < 2s);

    o.body_timeout = 30s;
    o.body_min_bytes_per_second = 10'000;
    o.body_rate_grace = 200ms;
    running_server rate{sample_routes(), o};
    raw_client slow{rate.port()};
    slow.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    start = clock_type::now();
    CHECK(send_slowly(slow, "xxxxx", 50ms, 60).status == 408);
    CHECK(clock_type::now() - start < 2s);
    raw_client fast{rate.port()};
    fast.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 25000\r\n\r\n");
    CHECK(send_slowly(fast, std::string(2500, 'x'), 50ms, 10).status == 200);
}

TEST_CASE("a handler that takes too long is cancelled and answered with 504", "[integration][http]") {
    http::server_options o;
    o.handler_timeout = 100ms;
    running_server s{sample_routes(), o};
    raw_client c{s.port()};
    c.send(get("/slow?ms=60000"));
    const auto r = c.read();
    CHECK(r.status == 504);
    CHECK(r.body.find(r.headers.at("x-request-id")) != std::string::npos);
    CHECK(sample_counters::slow_cancelled() == 1);
    c.send(get("/slow?ms=1")); // the connection is as good as before
    CHECK(c.read().status == 200);
    c.send(get("/slow?ms=60000"));
    CHECK(c.read().status == 504);
    CHECK(sample_counters::slow_cancelled() == 2);
    CHECK(s.log().find("http_handler_failed") ==
          std::string::npos); // the handler is not to blame for being cancelled
}

TEST_CASE("an idle connection is closed in time, without an error", "[integration][http]") {
    http::server_options o;
    o.idle_timeout = 200ms;
    running_server s{sample_routes(), o};
    raw_client never{s.port()}, once{s.port()};
    once.send(get("/hello"));
    CHECK(once.read().status == 200);
    CHECK(never.wait_end(5s) == raw_client::ending::orderly);
    CHECK(once.wait_end(5s) == raw_client::ending::orderly);
    CHECK(poll_until([&] { return s.connections() == 0; }));
}

TEST_CASE("a client that does not read is cut off", "[integration][http]") {
    http::server_options o;
    o.write_timeout = 300ms;
    running_server s{sample_routes(), o};
    raw_client c{s.port(), 4096};
    for (int i = 0; i < 8; ++i)
        c.send(get("/big")); // more than the kernel takes for a client that does not read
    REQUIRE(poll_until([&] { return s.requests_in_flight() == 1; }));
    CHECK(poll_until([&] { return s.connections() == 0; }, 10s));
    CHECK(c.wait_end(5s) == raw_client::ending::reset);
}

TEST_CASE("a client that reads slowly but steadily gets everything", "[integration][http]") {
    http::server_options o;
    o.write_timeout = 500ms;
    running_server s{sample_routes(), o};
    raw_client c{s.port(), 4096};
    for (int i = 0; i < 4; ++i)
        c.send(get("/big"));
    for (int i = 0; i < 4; ++i)
        CHECK(c.read().body.size() == big_size);
}

TEST_CASE("connections are limited in all and per address", "[integration][http]") {
    http::server_options o;
    o.max_connections = 3;
    running_server few{sample_routes(), o};
    std::vector<raw_client> kept;
    for (int i = 0; i < 3; ++i) {
        kept.emplace_back(few.port());
        kept.back().send(get("/hello"));
        CHECK(kept.back().read().status == 200);
    }
    raw_client refused{few.port()};
    CHECK(refused.wait_end(5s) != raw_client::ending::still_open);
    kept.pop_back();
    CHECK(poll_until([&] { return few.connections() == 2; }));
    CHECK(fetch(few.port(), get("/hello")).status == 200);
    CHECK(poll_until([&] { return few.log().find("http_connections_refused") != std::string::npos; }));

    http::server_options one;
    one.max_connections_per_address = 1;
    running_server single{sample_routes(), one};
    raw_client first{single.port()};
    first.send(get("/hello"));
    CHECK(first.read().status == 200);
    raw_client second{single.port()};
    CHECK(second.wait_end(5s) != raw_client::ending::still_open);
    first.close();
    CHECK(poll_until([&] { return single.connections() == 0; }));
    CHECK(fetch(single.port(), get("/hello")).status == 200);

    one.trusted_proxies = {"127.0.0.1"}; // a load balancer needs more than one
    running_server behind{sample_routes(), one};
    raw_client a{behind.port()}, b{behind.port()};
    for (auto* c : {&a, &b}) {
        c->send(get("/hello"));
        CHECK(c->read().status == 200);
    }
}
