#include "consistency.hpp"

#include <tiktrend/http/problem.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using gateway::consistency_token_of;

namespace {

/// What a request with this header brings.
std::optional<gateway::consistency_token> read(std::string_view text) {
    http::request r;
    r.headers.add("X-Consistency-Token", text);
    return consistency_token_of(r);
}

} // namespace

TEST_CASE("a consistency token is read as it was written", "[unit][gateway]") {
    CHECK_FALSE(consistency_token_of(http::request{}));
    const auto token = read("00000001/16/B374D848");
    REQUIRE(token);
    CHECK(token->at_least == postgres::lsn{0x16B374D848});
    CHECK(token->text() == "00000001/16/B374D848");
}

TEST_CASE("a token that we did not give is refused", "[unit][gateway]") {
    const auto* text = GENERATE("x", "00000001", "00000001/", "1/16/B374D848", "0000000g/0/1", "00000001/16", "00000001/0/1 ",
                                "00000001/0/1/2", "00000001/-1/1", "00000001/FFFFFFFFF/1");
    CAPTURE(text);
    try {
        read(text);
        FAIL("it was taken");
    } catch (const http::problem& p) {
        CHECK(p.status() == 400);
        CHECK(p.code() == "bad_consistency_token");
    }
}
