#include "canonical_json.hpp"
#include "middleware/rate_limiter.hpp"
#include "rate_limits.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::gateway;
using namespace std::chrono_literals;

TEST_CASE("JSON that means the same has one text", "[unit][gateway]") {
    CHECK(canonical_json(R"({ "b" : [1, {"y":null,"x":true}], "a":"\u00e4" })") ==
          canonical_json("{\"a\":\"\xc3\xa4\",\"b\":[1,{\"x\":true,\"y\":null}]}"));
    CHECK(canonical_json(R"({"a":1})") != canonical_json(R"({"a":2})"));
    CHECK(canonical_json(R"([1,2])") != canonical_json(R"([2,1])"));
    CHECK(canonical_json(R"({"a":"1"})") != canonical_json(R"({"a":1})"));
    CHECK(canonical_json("not json") == "not json");
    CHECK(canonical_json("") == "");
}

TEST_CASE("a rate limit is a number and a window", "[unit][gateway]") {
    CHECK(parse_rate_limit("600/1m") == rate_limit{600, 60s});
    CHECK(parse_rate_limit("1/24h") == rate_limit{1, 24h});
    for (const char* wrong : {"", "600", "600/", "/1m", "0/1m", "-1/1m", "1.5/1m", "600/1", "600/1m/1m",
                              "600/25h", "600/10ms", "1000000001/1m", " 600/1m"})
        CHECK_FALSE(parse_rate_limit(wrong));
}

TEST_CASE("of an IPv6 address the first half is the subscriber", "[unit][gateway]") {
    CHECK(subscriber_of("192.0.2.1") == "192.0.2.1");
    CHECK(subscriber_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    CHECK(subscriber_of("::ffff:192.0.2.1") == "::ffff:192.0.2.1");
    CHECK(subscriber_of("unix") == "unix");
}
