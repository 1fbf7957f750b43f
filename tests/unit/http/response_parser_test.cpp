#include "response_parser.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using http::response_parser;

TEST_CASE("a server that closes without a byte has not answered", "[unit][http][upstream]") {
    response_parser p{1024, false};
    error_code ec;
    p.put_end(ec);
    CHECK(ec);
    CHECK_FALSE(p.is_done());
}

TEST_CASE("an answer without a length ends with its connection, one with a length does not",
          "[unit][http][upstream]") {
    error_code ec;
    response_parser open{1024, false};
    open.put("HTTP/1.0 200 OK\r\n\r\nall of it", ec);
    REQUIRE_FALSE(ec);
    CHECK_FALSE(open.is_done());
    open.put_end(ec);
    CHECK_FALSE(ec);
    CHECK(open.is_done());
    CHECK(open.take_body() == "all of it");

    for (const auto* cut : {"HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nall"}) {
        response_parser p{1024, false};
        p.put(cut, ec);
        REQUIRE_FALSE(ec);
        p.put_end(ec);
        CHECK(ec);
    }
}
