#include "raw_client.hpp"
#include "running_server.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/testing/process.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::testing;
using namespace std::chrono_literals;

namespace {

task<http::response> hello(http::request&) {
    co_return http::response::text(200, "hello");
}
task<http::response> echo(http::request& r) {
    co_return http::response::text(200, r.method_text + " " + r.target + " " + r.body);
}
task<http::response> item(http::request& r) {
    co_return http::response::text(200, std::string{r.param("id")});
}
task<http::response> refuses(http::request&) {
    throw http::problem{429, "too_many", "Slow down."}.with_retry_after(7s);
    co_return http::response{};
}
task<http::response> breaks(http::request&) {
    throw std::runtime_error("the password is hunter2");
    co_return http::response{};
}
task<http::response> big(http::request&) {
    http::response r = http::response::json(200, "");
    r.shared_body = std::make_shared<const std::string>(3'000'000, 'x');
    co_return r;
}

http::router routes() {
    http::router r;
    r.add(http::method::get, "/hello", hello);
    r.add(http::method::post, "/echo", echo);
    r.add(http::method::get, "/items/{id}", item);
    r.add(http::method::get, "/refuses", refuses);
    r.add(http::method::get, "/breaks", breaks);
    r.add(http::method::get, "/big", big);
    return r;
}

} // namespace

TEST_CASE("one connection answers request after request", "[integration][http]") {
    running_server s{routes()};
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
    running_server s{routes()};
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
    CHECK(c.read().body == std::string(3'000'000, 'x'));
}

TEST_CASE("HEAD answers as GET without the body, OPTIONS names the methods", "[integration][http]") {
    running_server s{routes()};
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
    running_server s{routes()};
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
