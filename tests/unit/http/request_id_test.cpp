#include "request_id.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace tiktrend::http;

TEST_CASE("request ids are distinct UUIDs of version 7", "[unit][http]") {
    request_id_source source;
    std::set<std::string> seen;
    std::string id;
    for (int i = 0; i < 1000; ++i) {
        source.next(0x0123456789AB, id);
        REQUIRE(id.size() == 36);
        CHECK(id.substr(0, 15) == "01234567-89ab-7");
        CHECK(std::string{"89ab"}.find(id[19]) != std::string::npos);
        CHECK(is_request_id(id));
        seen.insert(id);
    }
    CHECK(seen.size() == 1000);
}

TEST_CASE("only plain tokens are taken over as request ids", "[unit][http]") {
    CHECK(is_request_id("abc.DEF-1_2"));
    CHECK(is_request_id(std::string(128, 'a')));
    for (const auto& bad :
         {std::string{}, std::string(129, 'a'), std::string{"a b"}, std::string{"a\"b"}, std::string{"a/b"}})
        CHECK_FALSE(is_request_id(bad));
}
