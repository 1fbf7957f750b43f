// The PROXY protocol in front of HTTP.
#include "raw_client.hpp"
#include "running_server.hpp"

#include <tiktrend/testing/process.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::testing;
using namespace std::chrono_literals;

namespace {

const std::string signature{"\r\n\r\n\0\r\nQUIT\n", 12};

std::string header(unsigned command, unsigned family, const std::string& addresses) {
    std::string out = signature;
    out += static_cast<char>(0x20U | command);
    out += static_cast<char>(family);
    out += static_cast<char>(addresses.size() >> 8U);
    out += static_cast<char>(addresses.size() & 0xFFU);
    return out + addresses;
}

/// 203.0.113.7:1024 to 198.51.100.1:443.
const std::string v4{"\xCB\x00\x71\x07\xC6\x33\x64\x01\x04\x00\x01\xBB", 12};

task<http::response> tell_address(http::request& r) {
    co_return http::response::text(200, r.remote_address + ' ' + r.request_id);
}

http::router routes() {
    http::router r;
    r.add(http::method::get, "/address", tell_address);
    return r;
}

http::server_options with_proxy(std::vector<std::string> trusted = {"127.0.0.1"}) {
    http::server_options o;
    o.proxy_protocol = true;
    o.trusted_proxies = std::move(trusted);
    o.header_timeout = 500ms;
    return o;
}

} // namespace

TEST_CASE("the balancer's header says who the client is", "[integration][http][proxy]") {
    running_server s{routes(), with_proxy()};
    raw_client c{s.port()};
    c.send(header(1, 0x11, v4) + get("/address"));
    CHECK(c.read().body.starts_with("203.0.113.7 "));
    c.send(get("/address")); // for the whole connection
    CHECK(c.read().body.starts_with("203.0.113.7 "));

    SECTION("byte by byte, with values behind the addresses") {
        raw_client slow{s.port()};
        for (const char byte : header(1, 0x11, v4 + std::string("\x04\x00\x02zz", 5)) + get("/address"))
            slow.send({&byte, 1});
        CHECK(slow.read().body.starts_with("203.0.113.7 "));
    }
    SECTION("IPv6") {
        std::string v6(36, '\0');
        v6[0] = '\x20';
        v6[1] = '\x01';
        v6[15] = '\x09';
        raw_client six{s.port()};
        six.send(header(1, 0x21, v6) + get("/address"));
        CHECK(six.read().body.starts_with("2001::9 "));
    }
    SECTION("the balancer's own checks") {
        raw_client check{s.port()};
        check.send(header(0, 0, "") + get("/address"));
        CHECK(check.read().body.starts_with("127.0.0.1 "));
    }
    SECTION("the client's own fields are not believed") {
        raw_client liar{s.port()};
        liar.send(header(1, 0x11, v4) +
                  get("/address", "X-Forwarded-For: 9.9.9.9\r\nX-Request-Id: mine\r\n"));
        const auto body = liar.read().body;
        CHECK(body.starts_with("203.0.113.7 "));
        CHECK(body.find("mine") == std::string::npos);
    }
}

TEST_CASE("connections without a good header are closed", "[integration][http][proxy]") {
    running_server s{routes(), with_proxy()};
    for (const auto& bytes :
         {get("/address"), std::string{"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"} + get("/address"),
          header(2, 0x11, v4), header(1, 0x11, v4.substr(0, 11)), header(1, 0x12, v4), header(1, 0x21, v4),
          header(1, 0x11, std::string(521, 'x')), signature.substr(0, 7), std::string{}}) {
        raw_client c{s.port()};
        c.try_send(bytes);
        CHECK(c.wait_end(10s) != raw_client::ending::still_open);
    }
    CHECK(poll_until([&] { return s.connections() == 0; }));
    CHECK(s.log().find("http_proxy_header_malformed") != std::string::npos);
}

TEST_CASE("strangers may not say who they are", "[integration][http][proxy]") {
    running_server s{routes(), with_proxy({"10.0.0.0/8"})};
    raw_client c{s.port()};
    c.send(header(1, 0x11, v4) + get("/address"));
    CHECK(c.wait_end(5s) != raw_client::ending::still_open);
    CHECK(s.log().find("http_proxy_header_from_stranger") != std::string::npos);
}

TEST_CASE("the limit of connections per address is for the client that the balancer names",
          "[integration][http][proxy]") {
    auto o = with_proxy();
    o.max_connections_per_address = 2;
    running_server s{routes(), o};
    const auto ask = header(1, 0x11, v4) + get("/address");
    raw_client first{s.port()}, second{s.port()}, third{s.port()};
    first.send(ask);
    CHECK(first.read().status == 200);
    second.send(ask);
    CHECK(second.read().status == 200);
    third.try_send(ask);
    CHECK(third.wait_end(5s) != raw_client::ending::still_open);
    CHECK(poll_until([&] { return s.connections() == 2; }));

    auto other = v4;
    other[3] = '\x08';
    raw_client neighbour{s.port()}, check{s.port()};
    neighbour.send(header(1, 0x11, other) + get("/address"));
    CHECK(neighbour.read().status == 200);
    check.send(header(0, 0, "") + get("/address")); // the balancer itself
    CHECK(check.read().status == 200);

    first.close();
    CHECK(poll_until([&] { return s.connections() == 3; }));
    raw_client again{s.port()};
    again.send(ask);
    CHECK(again.read().status == 200);
}
