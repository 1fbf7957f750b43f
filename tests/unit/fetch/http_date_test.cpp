#include <tiktrend/fetch/http_date.hpp>

#include <catch2/catch.hpp>

using tiktrend::fetch::parse_http_date;

TEST_CASE("the three forms of an HTTP-date are the same moment", "[unit][fetch]") {
    constexpr std::int64_t moment = 784'111'777'000; // the example of RFC 9110
    CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == moment);
    CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == moment);
    CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == moment);
}

TEST_CASE("other text is no date", "[unit][fetch]") {
    for (const char* text :
         {"", "soon", "10:00", "Mon", "12345678901234567890:123456", "Sun, 99 Foo 1994 08:49:37 GMT"}) {
        INFO(text);
        CHECK_FALSE(parse_http_date(text).has_value());
    }
}
