#include <tiktrend/cache/entry.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::cache;
using namespace std::string_literals;

TEST_CASE("a stored answer reads back as it was", "[unit][cache]") {
    const auto body = "line\nwith \0 bytes "s + std::string(3000, 'x');
    const auto e = make_entry(body, true, 18446744073709551615ULL, 1700000000123);
    const auto v = decode(encode("era1", "gen1", *e));
    REQUIRE(v);
    CHECK(v->era == "era1");
    CHECK(v->generation == "gen1");
    CHECK(v->answer->body == body);
    CHECK(v->answer->gzip == e->gzip);
    CHECK(v->answer->etag == e->etag);
    CHECK(v->answer->lsn == e->lsn);
    CHECK(v->answer->filled_at_ms == e->filled_at_ms);
    CHECK(v->answer->found);
}

TEST_CASE("absent tokens, empty bodies and negative answers are stored too", "[unit][cache]") {
    const auto v = decode(encode("", "", *make_entry("", false, 0, 0)));
    REQUIRE(v);
    CHECK(v->era.empty());
    CHECK(v->generation.empty());
    CHECK(v->answer->body.empty());
    CHECK_FALSE(v->answer->found);
}

TEST_CASE("a value that was cut or continued anywhere is a miss", "[unit][cache]") {
    const auto whole = encode("e", "g", *make_entry("some body", true, 5, 6));
    for (std::size_t n = 0; n < whole.size(); ++n) {
        CAPTURE(n);
        CHECK_FALSE(decode(std::string_view{whole}.substr(0, n)));
    }
    CHECK_FALSE(decode(whole + "x"));
}

TEST_CASE("values of other versions and damaged headers are misses", "[unit][cache]") {
    const auto* text =
        GENERATE("", "\n", "tt1 e g 1 2 3 1 0 0 0\n", "tt2 e g 1 2 3 1 0 0\n", "tt2 e g x 2 3 1 0 0 0\n",
                 "tt2 e g 1 2 3 1 0 0 -1\n", "tt2 e g 1 2 3 1 18446744073709551615 1 0\na",
                 "tt2 e g 1 2 3 1 99999999999999999999 0 0\n", "{\"json\":true}\n");
    CAPTURE(text);
    CHECK_FALSE(decode(text));
}
