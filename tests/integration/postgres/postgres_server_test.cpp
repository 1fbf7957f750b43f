#include <tiktrend/testing/postgres_server.hpp>

#include <catch2/catch.hpp>

using tiktrend::testing::postgres_server;

TEST_CASE("the fixture's cluster keeps its data over restart and crash", "[integration][postgres][fixture]") {
    auto& server = postgres_server::shared();
    server.create_database("fixture");
    server.execute("fixture", "CREATE TABLE t (a text); INSERT INTO t VALUES ('x'), (NULL)");
    server.restart();
    CHECK(server.execute("fixture", "SELECT a, 1 FROM t ORDER BY a NULLS LAST") == "x|1\n(null)|1");
    server.execute("fixture", "CHECKPOINT");
    server.kill();
    server.start();
    CHECK(server.execute("fixture", "SELECT count(*) FROM t") == "2");
    CHECK_THROWS_WITH(server.execute("fixture", "SELECT nothing"), Catch::Contains("nothing"));
}
