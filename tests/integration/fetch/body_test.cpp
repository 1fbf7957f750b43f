#include "raw_server.hpp"

#include <tiktrend/testing/compressed.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::testing;
using fetch::failure_class;

namespace {

std::string encoded(std::string_view name, std::string_view body) {
    return raw_server::ok(body, "Content-Encoding: " + std::string{name} + "\r\n");
}

} // namespace

TEST_CASE("compressed bodies arrive decoded, with both sizes", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        const std::string text(10'000, 'a');
        server.answer("/gzip", encoded("gzip", compressed(text)));
        server.answer("/raw-deflate", encoded("deflate", compressed(text, -15)));
        for (const char* path : {"/gzip", "/raw-deflate"}) {
            const auto out = co_await get(client, server.url(path));
            INFO(path);
            REQUIRE(verdict(out) == "200");
            CHECK(out->body == text);
            CHECK(out->bytes_received < 200);
            CHECK_FALSE(out->suspicious_ratio);
        }
    });
}

TEST_CASE("bad input 18, curl trap 9: a bomb ends at the limit and is reported", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/bomb", encoded("gzip", compressed(std::string(12U << 20, '\0'))));
        const auto out = co_await get(client, server.url("/bomb"));
        REQUIRE(verdict(out) == "body_too_large");
        CHECK(out.error().cls == failure_class::permanent);
        CHECK(out.error().bytes_decoded <= 8U << 20);
        CHECK(client.stats().suspicious_ratios == 1);
        // Within a larger limit of its own it is delivered, and marked.
        fetch::request r{server.url("/bomb")};
        r.max_body_bytes = 16U << 20;
        const auto all = co_await client.fetch(r);
        REQUIRE(verdict(all) == "200");
        CHECK(all->body.size() == 12U << 20);
        CHECK(all->suspicious_ratio);
    });
}

TEST_CASE("bad input 20, curl traps 7 and 8: a body that is too large is refused whatever way it is framed",
          "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/length", "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\nx");
        server.behave("/chunks", [](raw_server::socket& s, const std::string&) -> task<bool> {
            co_await asio::async_write(
                s, asio::buffer(std::string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}),
                asio::use_awaitable);
            const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
            for (;;)
                co_await asio::async_write(s, asio::buffer(chunk), asio::use_awaitable);
        });
        CHECK(verdict(co_await get(client, server.url("/length"))) == "body_too_large");
        CHECK(verdict(co_await get(client, server.url("/chunks"))) == "body_too_large");
        CHECK(client.stats().bytes_received <= 9U << 20);
    });
}

TEST_CASE("bad input 20: bytes beyond Content-Length are no part of anything", "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        server.answer("/extra", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 "
                                "OK\r\nContent-Length: 4\r\n\r\nevil");
        server.answer("/next", raw_server::ok("good"));
        CHECK((co_await get(client, server.url("/extra")))->body == "hello");
        CHECK((co_await get(client, server.url("/next")))->body == "good");
        CHECK(server.connections == 2);
    });
}

TEST_CASE("bad input 19, curl trap 10: six layers, unknown encodings and false labels are bad encodings",
          "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        std::string six = "x";
        for (int i = 0; i < 6; ++i)
            six = compressed(six);
        server.answer("/six", encoded("gzip, gzip, gzip, gzip, gzip, gzip", six));
        server.answer("/unknown", encoded("foo", "x"));
        server.answer("/false", encoded("gzip", "this is plain text"));
        for (const char* path : {"/six", "/unknown", "/false"}) {
            const auto out = co_await get(client, server.url(path));
            INFO(path);
            REQUIRE(verdict(out) == "bad_encoding");
            CHECK(out.error().cls == failure_class::permanent);
        }
    });
}

TEST_CASE("bad input 23: a compressed body that is cut or damaged is truncated and worth a retry",
          "[integration][fetch]") {
    with_server([](raw_server& server, fetch::client& client) -> task<void> {
        std::string text;
        for (int i = 0; i < 5000; ++i)
            text += std::to_string(i * 7919);
        const auto whole = compressed(text);
        auto bad_sum = whole;
        bad_sum[bad_sum.size() - 7] = static_cast<char>(~bad_sum[bad_sum.size() - 7]);
        server.answer("/half", encoded("gzip", whole.substr(0, whole.size() / 2)));
        server.answer("/no-trailer", encoded("gzip", whole.substr(0, whole.size() - 8)));
        server.answer("/sum", encoded("gzip", bad_sum));
        for (const char* path : {"/half", "/no-trailer", "/sum"}) {
            const auto out = co_await get(client, server.url(path));
            INFO(path);
            REQUIRE(verdict(out) == "truncated_body");
            CHECK(out.error().cls == failure_class::transient);
        }
    });
}
