#include <tiktrend/postgres/connection.hpp>

#include <catch2/catch.hpp>

using tiktrend::postgres::describe;

TEST_CASE("a connection URL is shown without its password", "[unit][postgres]") {
    CHECK(describe("postgresql://ann:secret@db.example:5433/shop") ==
          "postgresql://ann:***@db.example:5433/shop");
    CHECK(describe("postgresql://db.example/shop?user=ann&password=secret") ==
          "postgresql://ann:***@db.example/shop");
    CHECK(describe("host=db.example user=ann password='se cret' dbname=shop") ==
          "postgresql://ann:***@db.example/shop");
    CHECK(describe("postgresql://ann@a:1,b:2/shop") == "postgresql://ann@a,b:1,2/shop");
    CHECK(describe("postgresql:///shop?host=/run/postgresql") == "postgresql:///run/postgresql/shop");
}

TEST_CASE("what libpq cannot read is not repeated", "[unit][postgres]") {
    CHECK(describe("postgresql://ann:secret@[::1/shop") == "(not a connection URL)");
    CHECK(describe("mysql://ann:secret@db/shop") == "(not a connection URL)");
}
