// What a job brings along to a shop: cookies of its own, and a proxy of the operator's.
#include "raw_server.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::testing;

namespace {

bool has_line(const std::string& head, const std::string& line) {
    return head.find(line + "\r\n") != std::string::npos;
}

std::string cookies(int n) {
    std::string out;
    for (int i = 0; i < n; ++i)
        out += "Set-Cookie: c" + std::to_string(i) + "=v; Path=/\r\n";
    return out;
}

} // namespace

TEST_CASE("cookies go from request to request of one jar, and to no other", "[integration][fetch][cookies]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/first", raw_server::ok("1", "Set-Cookie: session=abc; Path=/\r\n"));
        server.answer("/second", raw_server::ok("2"));
        fetch::request first{server.url("/first")}, second{server.url("/second")};
        first.cookies = second.cookies = std::make_shared<fetch::cookie_jar>();
        REQUIRE(verdict(co_await client.fetch(first)) == "200");
        CHECK(first.cookies->size() == 1);
        REQUIRE(verdict(co_await client.fetch(second)) == "200");
        CHECK(has_line(server.requests.back(), "Cookie: session=abc"));
        REQUIRE(verdict(co_await get(client, server.url("/second"))) == "200"); // on the same connection
        CHECK(server.requests.back().find("Cookie:") == std::string::npos);
        fetch::request other{server.url("/second")};
        other.cookies = std::make_shared<fetch::cookie_jar>();
        REQUIRE(verdict(co_await client.fetch(other)) == "200");
        CHECK(server.requests.back().find("Cookie:") == std::string::npos);
        CHECK(server.connections == 1);
    });
}

TEST_CASE("a cookie that a redirect sets is sent on", "[integration][fetch][cookies]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer(
            "/a",
            "HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: seen=1; Path=/\r\nContent-Length: 0\r\n\r\n");
        server.answer("/b", raw_server::ok("end"));
        fetch::request r{server.url("/a")};
        r.cookies = std::make_shared<fetch::cookie_jar>();
        REQUIRE(verdict(co_await client.fetch(r)) == "200");
        CHECK(has_line(server.requests.back(), "Cookie: seen=1"));
    });
}

TEST_CASE("bad input 41, curl trap 14: cookies for other domains and hundreds of cookies are not kept",
          "[integration][fetch][cookies][bad_input]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/foreign",
                      raw_server::ok("x", "Set-Cookie: a=1; Domain=other.test\r\nSet-Cookie: b=1; "
                                          "Domain=com\r\nSet-Cookie: c=1; Domain=co.uk\r\n"));
        server.answer("/many", raw_server::ok("x", cookies(500)));
        server.answer("/after", raw_server::ok("x"));
        fetch::request r{server.url("/foreign")};
        r.cookies = std::make_shared<fetch::cookie_jar>();
        REQUIRE(verdict(co_await client.fetch(r)) == "200");
        CHECK(r.cookies->size() == 0);
        r.url = server.url("/many");
        REQUIRE(verdict(co_await client.fetch(r)) == "200");
        CHECK(r.cookies->size() <= 50);
        r.url = server.url("/after");
        REQUIRE(verdict(co_await client.fetch(r)) == "200");
        CHECK(server.requests.back().size() < 2000);
    });
}

TEST_CASE("with a proxy the request goes to the proxy, with its own credentials",
          "[integration][fetch][proxy]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        // What a proxy sees of a plain HTTP request: the absolute form (RFC 9112 section 3.2.2).
        server.answer("http://shop.example/list", raw_server::ok("by proxy"));
        fetch::request r{"http://shop.example/list"};
        r.proxy = "http://user:secret@127.0.0.1:" + std::to_string(server.port());
        const auto out = co_await client.fetch(r);
        REQUIRE(verdict(out) == "200");
        CHECK(out->body == "by proxy");
        CHECK(server.requests.back().starts_with("GET http://shop.example/list HTTP/1.1\r\n"));
        CHECK(has_line(server.requests.back(), "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ="));
        // The URL is checked as always, and without a proxy the next request goes straight.
        r.url = "http://169.254.169.254/latest/meta-data/";
        CHECK(verdict(co_await client.fetch(r)) == "address_forbidden");
        server.answer("/direct", raw_server::ok("x"));
        REQUIRE(verdict(co_await get(client, server.url("/direct"))) == "200");
        CHECK(server.requests.back().starts_with("GET /direct HTTP/1.1\r\n"));
        CHECK(server.requests.back().find("Proxy-Authorization") == std::string::npos);
    });
}

TEST_CASE("a proxy that does not serve is its own failure, without its password",
          "[integration][fetch][proxy]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        fetch::request r{"http://shop.example/"};
        r.secrets = {"secret"};
        r.proxy = "http://user:secret@127.0.0.1:1"; // nobody listens there
        auto out = co_await client.fetch(r);
        REQUIRE(verdict(out) == "proxy_failed");
        CHECK(out.error().cls == fetch::failure_class::transient);
        CHECK(out.error().message().find("secret") == std::string::npos);
        // A proxy that refuses a tunnel.
        server.answer("shop.example:443",
                      "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", false);
        r.url = "https://shop.example/";
        r.proxy = "http://127.0.0.1:" + std::to_string(server.port());
        out = co_await client.fetch(r);
        REQUIRE(verdict(out) == "proxy_failed");
        CHECK(server.requests.back().starts_with("CONNECT shop.example:443 HTTP/1.1\r\n"));
    });
}
