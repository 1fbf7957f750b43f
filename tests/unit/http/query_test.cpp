#include <tiktrend/http/query.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::http;
using pairs = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("percent-encoding is decoded and broken escapes are refused", "[unit][http]") {
    CHECK(percent_decode("a%20b+c") == "a b+c");
    CHECK(percent_decode("a%20b+c", true) == "a b c");
    CHECK(percent_decode("%e2%82%AC") == "\xe2\x82\xac");
    CHECK_FALSE(percent_decode("%"));
    CHECK_FALSE(percent_decode("%4"));
    CHECK_FALSE(percent_decode("%4g"));
    CHECK_FALSE(percent_decode("%-1"));
}

TEST_CASE("what is encoded decodes to itself", "[unit][http]") {
    std::string all;
    for (int i = 0; i < 256; ++i)
        all += static_cast<char>(i);
    CHECK(percent_decode(percent_encode(all)) == all);
    CHECK(percent_encode("a b/c?d=e&f") == "a%20b%2Fc%3Fd%3De%26f");
}

TEST_CASE("a query is a list of decoded pairs in order", "[unit][http]") {
    CHECK(parse_query("") == pairs{});
    CHECK(parse_query("a=1&b=2&a=3") == pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}});
    CHECK(parse_query("a&b=&=c&&") == pairs{{"a", ""}, {"b", ""}, {"", "c"}});
    CHECK(parse_query("q=caf%C3%A9+au+lait") == pairs{{"q", "caf\xc3\xa9 au lait"}});
    // cursors are base64url with padding or signatures behind dots
    CHECK(parse_query("cursor=eyJpZCI6MX0==.Zm9v-_") == pairs{{"cursor", "eyJpZCI6MX0==.Zm9v-_"}});
}

TEST_CASE("a query that is not decodable UTF-8 text is refused", "[unit][http]") {
    CHECK_FALSE(parse_query("a=%zz"));
    CHECK_FALSE(parse_query("a=%ff"));
    CHECK_FALSE(parse_query("a=%C0%AF"));
    CHECK_FALSE(parse_query("a=%00"));
    CHECK_FALSE(parse_query("a\xff=1"));
}
