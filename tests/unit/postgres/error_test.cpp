#include <tiktrend/postgres/error.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::postgres;

TEST_CASE("a SQLSTATE tells what to do next", "[unit][postgres]") {
    CHECK(classify("40001") == errc::conflict);
    CHECK(classify("40P01") == errc::conflict);
    CHECK(classify("26000") == errc::conflict);
    CHECK(classify("08006") == errc::connection_lost);
    CHECK(classify("57P01") == errc::connection_lost);
    CHECK(classify("57P02") == errc::connection_lost);
    CHECK(classify("57P03") == errc::connection_lost);
    CHECK(classify("25006") == errc::read_only);
    CHECK(classify("57014") == errc::cancelled);
    CHECK(classify("53300") == errc::exhausted);
    CHECK(classify("23505") == errc::statement_failed);
    CHECK(classify("") == errc::statement_failed);
}

TEST_CASE("only the service's own troubles count as unavailable", "[unit][postgres]") {
    CHECK(is_unavailable(errc::pool_timeout));
    CHECK(is_unavailable(errc::connection_lost));
    CHECK(is_unavailable(errc::read_only));
    CHECK_FALSE(is_unavailable(errc::statement_failed));
    CHECK_FALSE(is_unavailable(errc::conflict));
    CHECK_FALSE(is_unavailable(tiktrend::errc::timed_out));
    CHECK(is_retryable(errc::conflict));
    CHECK_FALSE(is_retryable(errc::connection_lost));
}

TEST_CASE("a server error keeps what the server said", "[unit][postgres]") {
    const server_error e{"23505", "duplicate key", "Key (a)=(1) already exists.", "users_email_key"};
    CHECK(e.code() == errc::statement_failed);
    CHECK(e.sqlstate() == "23505");
    CHECK(e.constraint() == "users_email_key");
    CHECK_THAT(e.what(), Catch::Contains("23505 duplicate key"));
    CHECK_THAT(e.what(), !Catch::Contains("already exists")); // data stays out of the log line
}
