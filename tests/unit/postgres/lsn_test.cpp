#include <tiktrend/postgres/lsn.hpp>

#include <catch2/catch.hpp>

using tiktrend::postgres::lsn;

TEST_CASE("a log position reads and prints as PostgreSQL writes it", "[unit][postgres]") {
    CHECK(lsn::parse("16/B374D848")->value == 0x16B374D848ULL);
    CHECK(lsn::parse("0/0")->value == 0);
    CHECK(lsn{0x16B374D848ULL}.to_string() == "16/B374D848");
    CHECK(lsn::parse("FFFFFFFF/FFFFFFFF")->to_string() == "FFFFFFFF/FFFFFFFF");
    CHECK(*lsn::parse("1/0") > *lsn::parse("0/FFFFFFFF"));
}

TEST_CASE("what is no log position is refused", "[unit][postgres]") {
    for (const char* text : {"", "/", "1/", "/1", "1", "1/G", "1/2/3", "123456789/0", "-1/0", "1 /0"}) {
        CAPTURE(text);
        CHECK_FALSE(lsn::parse(text));
    }
}
