#include <tiktrend/redis/address.hpp>
#include <tiktrend/redis/error.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;

TEST_CASE("a TCP address is read with user, password, port and database", "[unit][redis]") {
    const auto a = redis::parse_url("redis://app:s%40cret@redis.internal:6380/3").value();
    CHECK(a.host == "redis.internal");
    CHECK(a.port == 6380);
    CHECK(a.user == "app");
    CHECK(a.password == "s@cret");
    CHECK(a.database == 3);
    CHECK_FALSE(a.tls);
    CHECK(a.unix_path.empty());
}

TEST_CASE("what a URL leaves out has the usual default", "[unit][redis]") {
    const auto a = redis::parse_url("redis://localhost").value();
    CHECK(a.port == 6379);
    CHECK(a.database == 0);
    CHECK(a.password.empty());
    const auto only_password = redis::parse_url("redis://:secret@localhost/").value();
    CHECK(only_password.user.empty());
    CHECK(only_password.password == "secret");
}

TEST_CASE("rediss means TLS, with a file of trusted certificates if given", "[unit][redis]") {
    const auto a = redis::parse_url("rediss://[::1]:7000?ca=/etc/ca.pem").value();
    CHECK(a.tls);
    CHECK(a.host == "::1");
    CHECK(a.ca_file == "/etc/ca.pem");
}

TEST_CASE("a Unix socket is a path, with the database in the query", "[unit][redis]") {
    const auto a = redis::parse_url("unix:///run/redis/redis.sock?db=2").value();
    CHECK(a.unix_path == "/run/redis/redis.sock");
    CHECK(a.database == 2);
}

TEST_CASE("sentinels are a list of hosts and the name of their master", "[unit][redis]") {
    const auto a = redis::parse_url("redis+sentinel://app:s%40x@one,[::1]:7,three:26380/main/2"
                                    "?sentinel_user=watch&sentinel_password=p%26w")
                       .value();
    CHECK(a.kind == redis::topology::sentinel);
    REQUIRE(a.nodes.size() == 3);
    CHECK(a.nodes[0] == redis::endpoint{"one", 26379});
    CHECK(a.nodes[1] == redis::endpoint{"::1", 7});
    CHECK(a.nodes[2] == redis::endpoint{"three", 26380});
    CHECK(a.master == "main");
    CHECK(a.database == 2);
    CHECK(a.user == "app");
    CHECK(a.password == "s@x");
    CHECK(a.sentinel_user == "watch");
    CHECK(a.sentinel_password == "p&w");
    CHECK(a.to_string() == "redis+sentinel://app@one:26379,[::1]:7,three:26380/main/2");
    CHECK(redis::parse_url("rediss+sentinel://h/main?ca=/ca.pem").value().tls);
}

TEST_CASE("a cluster is a list of some of its nodes", "[unit][redis]") {
    const auto a = redis::parse_url("rediss+cluster://:pw@a:7000,b?ca=/ca.pem").value();
    CHECK(a.kind == redis::topology::cluster);
    CHECK(a.nodes == std::vector<redis::endpoint>{{"a", 7000}, {"b", 6379}});
    CHECK(a.password == "pw");
    CHECK(a.tls);
    CHECK(a.ca_file == "/ca.pem");
    CHECK(a.to_string() == "rediss+cluster://a:7000,b:6379");
    const auto node = redis::at_node(a, a.nodes[1]);
    CHECK(node.kind == redis::topology::standalone);
    CHECK(node.host == "b");
    CHECK(node.password == "pw");
}

TEST_CASE("a list of hosts with a mistake is refused", "[unit][redis]") {
    const auto* text =
        GENERATE("redis+sentinel://a,b", "redis+sentinel:///main", "redis+sentinel://a,,b/main",
                 "redis+sentinel://a:0/main", "redis+sentinel://a:x/main", "redis+sentinel://[::1/main",
                 "redis+sentinel://a/main/x", "redis+sentinel://a/main/1/2", "redis+sentinel://a/main?db=1",
                 "redis+cluster://", "redis+cluster://a,", "redis+cluster://a/1", "redis+cluster://a?ca=/x",
                 "redis+cluster://a#f", "redis+other://a", "redis+cluster:a");
    CAPTURE(text);
    const auto a = redis::parse_url(text);
    REQUIRE(a.has_error());
    CHECK(a.error() == redis::errc::bad_url);
}

TEST_CASE("anything else is refused as a bad URL", "[unit][redis]") {
    const auto* text =
        GENERATE("", "localhost:6379", "http://localhost", "redis://", "redis://host:0", "redis://host:99999",
                 "redis://host/zero", "redis://host/-1", "redis://host/1/2", "redis://host?db=1",
                 "redis://host?ca=/x", "redis://host#f", "unix://", "unix://host/path", "unix:///s?db=x",
                 "redis://ho st", "redis://host:port");
    CAPTURE(text);
    const auto a = redis::parse_url(text);
    REQUIRE(a.has_error());
    CHECK(a.error() == redis::errc::bad_url);
}

TEST_CASE("the text of an address has no password", "[unit][redis]") {
    CHECK(redis::parse_url("redis://app:secret@host:1/2").value().to_string() == "redis://app@host:1/2");
    CHECK(redis::parse_url("rediss://:secret@[::1]").value().to_string() == "rediss://[::1]:6379");
    CHECK(redis::parse_url("unix://u:secret@/s?db=4").value().to_string() == "unix://u@/s?db=4");
}
