#include "raw_client.hpp"
#include "running_server.hpp"
#include "sample_routes.hpp"

#include <tiktrend/testing/process.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::testing;

TEST_CASE("one connection answers request after request", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    for (int i = 0; i < 3; ++i) {
        c.send(get("/items/" + std::to_string(i)));
        const auto r = c.read();
        CHECK(r.status == 200);
        CHECK(r.body == std::to_string(i));
        CHECK(r.headers.at("content-length") == "1");
        CHECK(r.headers.at("content-type") == "text/plain; charset=utf-8");
        CHECK(r.headers.at("date").size() == 29);
        CHECK(r.headers.at("x-request-id").size() == 36);
        CHECK(r.headers.count("connection") == 0);
    }
    CHECK(s.connections() == 1);
    c.close();
    CHECK(poll_until([&] { return s.connections() == 0; }));
}

TEST_CASE("bodies come by length or in chunks", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfirst");
    CHECK(c.read().body == "POST /echo first");
    c.send("POST /echo?x=1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
           "3\r\nsec\r\n3;ext=\"q\"\r\nond\r\n0\r\nTrailer-Field: dropped\r\n\r\n");
    CHECK(c.read().body == "POST /echo?x=1 second");
    const std::string large(700'000, 'y');
    c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 700000\r\n\r\n" + large);
    CHECK(c.read().body == "POST /echo " + large);
    c.send(get("/big"));
    CHECK(c.read().body == std::string(big_size, 'x'));
}

TEST_CASE("HEAD answers as GET without the body, OPTIONS names the methods", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto head = c.read(true);
    CHECK(head.status == 200);
    CHECK(head.headers.at("content-length") == "5");
    c.send("OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto options = c.read();
    CHECK(options.status == 204);
    CHECK(options.headers.at("allow") == "OPTIONS, GET, HEAD");
    CHECK(options.headers.count("content-length") == 0);
    c.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(c.read().status == 204);
    c.send("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto refused = c.read();
    CHECK(refused.status == 405);
    CHECK(refused.headers.at("allow") == "OPTIONS, GET, HEAD");
}

TEST_CASE("problems and exceptions become problem+json with the request id", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send(get("/refuses"));
    const auto refused = c.read();
    CHECK(refused.status == 429);
    CHECK(refused.headers.at("retry-after") == "7");
    CHECK(refused.headers.at("content-type") == "application/problem+json");
    CHECK(refused.body.find("\"request_id\":\"" + refused.headers.at("x-request-id") + "\"") !=
          std::string::npos);
    c.send(get("/nowhere"));
    CHECK(c.read().status == 404);
    c.send(get("/items/%ff"));
    CHECK(c.read().status == 400);
    c.send(get("/breaks"));
    const auto broken = c.read();
    CHECK(broken.status == 500);
    CHECK(broken.body.find("hunter2") == std::string::npos);
    CHECK(s.log().find("hunter2") != std::string::npos);
    CHECK(s.log().find(broken.headers.at("x-request-id")) != std::string::npos);
}

TEST_CASE("HTTP/1.0 clients are answered their way", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client once{s.port()};
    once.send("GET /hello HTTP/1.0\r\n\r\n");
    const auto r = once.read();
    CHECK(r.status == 200);
    CHECK(r.headers.at("connection") == "close");
    CHECK(once.wait_end(std::chrono::seconds{5}) == raw_client::ending::orderly);
    raw_client kept{s.port()};
    for (int i = 0; i < 2; ++i) {
        kept.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        const auto again = kept.read();
        CHECK(again.body == "hello");
        CHECK(again.headers.at("connection") == "keep-alive");
    }
}

TEST_CASE("Connection: close is obeyed", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send(get("/hello", "Connection: close\r\n"));
    CHECK(c.read().headers.at("connection") == "close");
    CHECK(c.wait_end(std::chrono::seconds{5}) == raw_client::ending::orderly);
}

TEST_CASE("Expect: 100-continue is answered before the body is read", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    CHECK(c.read().status == 100);
    c.send("body");
    CHECK(c.read().body == "POST /echo body");
    c.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nfast"); // did not
                                                                                                    // wait
    CHECK(c.read().body == "POST /echo fast");
    c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n");
    CHECK(c.read().status == 413); // instead of asking for it
    CHECK(fetch(s.port(), "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: cake\r\nContent-Length: 0\r\n\r\n")
              .status == 417);
}

TEST_CASE("absolute targets are taken for the host they were sent to", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send("GET http://Shop.test/echo?x=1 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    CHECK(c.read().body == "GET /echo?x=1 ");
    c.send("GET http://shop.test?x=1 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    CHECK(c.read().status == 404); // "/"
    c.send("GET http://other.test/echo HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    CHECK(c.read().status == 400);
}

TEST_CASE("a proxy is believed only when it is trusted", "[integration][http]") {
    const auto request = get("/who", "X-Forwarded-For: 203.0.113.9\r\nX-Request-Id: from-the-edge.1\r\n");
    running_server strict{sample_routes()};
    const auto own = fetch(strict.port(), request);
    CHECK(own.body == "127.0.0.1 " + own.headers.at("x-request-id"));
    CHECK(own.headers.at("x-request-id") != "from-the-edge.1");
    http::server_options o;
    o.trusted_proxies = {"127.0.0.0/8"};
    running_server trusting{sample_routes(), o};
    const auto told = fetch(trusting.port(), request);
    CHECK(told.body == "203.0.113.9 from-the-edge.1");
    CHECK(told.headers.at("x-request-id") == "from-the-edge.1");
    const auto odd = fetch(trusting.port(), get("/who", "X-Request-Id: \"quoted\"\r\n"));
    CHECK(odd.headers.at("x-request-id").size() == 36);
}

TEST_CASE("every answer is told to on_finished, refusals too", "[integration][http]") {
    std::string seen;
    http::server_options o;
    o.on_finished = [&seen](const http::server_options::finished& f) {
        seen += std::string{to_string(f.req.method)} + " " + std::string{f.req.route} + " " +
                std::to_string(f.status) + " " + (f.bytes_out > 100 ? "+" : "-") +
                (f.elapsed.count() >= 0 ? "" : "!") + ";";
    };
    running_server s{sample_routes(), o};
    raw_client c{s.port()};
    c.send(get("/items/1"));
    c.read();
    c.send(get("/breaks"));
    c.read();
    c.send("BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    c.read();
    c.send("nonsense\r\n\r\n");
    c.read();
    std::string copy;
    s.on_thread([&] { copy = seen; });
    CHECK(copy == "GET /items/{id} 200 +;GET /breaks 500 +;OTHER /hello 405 +;OTHER  400 +;");
}
