#include "client_list.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

constexpr std::string_view list =
    "id=3 addr=127.0.0.1:5000 laddr=127.0.0.1:6379 fd=8 name=bull:cQ== age=17 idle=2 flags=N db=0\r\n"
    "id=4 addr=127.0.0.1:5001 name=bull:cQ==:w:node-1 age=1 idle=x cmd=bzpopmin\n"
    "id=5 addr=127.0.0.1:5002 name=bull:cQ==:qe age=1 idle=0\n"
    "id=6 addr=127.0.0.1:5003 name=bull:cQ==2 age=1\n"
    "id=7 addr=127.0.0.1:5004 name= age=1\n"
    "id=8 without a name\n"
    "\n";

TEST_CASE("workers are those named like their queue", "[unit][queue]") {
    const auto found = read_client_list(list, "bull:cQ==", "bull:cQ==:w:");
    REQUIRE(found.size() == 2);
    CHECK(found[0].name == "");
    CHECK(found[0].raw_name == "bull:cQ==");
    CHECK(found[0].address == "127.0.0.1:5000");
    CHECK(found[0].age_s == 17);
    CHECK(found[0].idle_s == 2);
    CHECK(found[0].fields.at("db") == "0");
    CHECK(found[1].name == "node-1");
    CHECK(found[1].idle_s == 0); // unreadable
}

TEST_CASE("listeners have exactly one name", "[unit][queue]") {
    CHECK(read_client_list(list, "bull:cQ==:qe", "").size() == 1);
    CHECK(read_client_list(list, "bull:x:qe", "").empty());
    CHECK(read_client_list("", "a", "b").empty());
}

} // namespace
} // namespace tiktrend::queue
