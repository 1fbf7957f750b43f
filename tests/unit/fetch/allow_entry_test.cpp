#include <tiktrend/fetch/address_guard.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::fetch;

TEST_CASE("allow entries name addresses, networks and hosts, with or without a port", "[unit][fetch]") {
    auto e = *parse_allow_entry("127.0.0.1:8080");
    REQUIRE(e.range);
    CHECK(e.range->bits == 32);
    CHECK(e.port == 8080);

    e = *parse_allow_entry("10.0.0.0/8");
    REQUIRE(e.range);
    CHECK(e.range->bits == 8);
    CHECK(e.covers_port(80));
    CHECK(e.covers_port(443));
    CHECK_FALSE(e.covers_port(8080));

    e = *parse_allow_entry("[fc00::]/7:*");
    REQUIRE(e.range);
    CHECK(e.range->bits == 7);
    CHECK(e.covers_port(1));

    e = *parse_allow_entry("::1");
    REQUIRE(e.range);
    CHECK(e.range->bits == 128);

    e = *parse_allow_entry("Shop.Internal:8080");
    CHECK_FALSE(e.range);
    CHECK(e.name == "shop.internal");
    CHECK(e.port == 8080);
}

TEST_CASE("anything else is refused with what was expected", "[unit][fetch]") {
    for (const char* text :
         {"", ":", "a b", "10.0.0.0/33", "10.0.0.0/x", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:http",
          "[::1", "http://x", "user@host", "host/path", "fe80::1%eth0", "*"}) {
        INFO(text);
        const auto e = parse_allow_entry(text);
        REQUIRE_FALSE(e.has_value());
        CHECK(e.error().find("expected") == 0);
    }
}
