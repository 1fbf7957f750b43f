#include "consistency.hpp"

#include <tiktrend/base/clock.hpp>
#include <tiktrend/http/problem.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using gateway::consistency_token;

namespace {

const gateway::cursor_signer signer{"0123456789abcdef"};
constexpr std::int64_t now = 1'700'000'000'000;

/// What a request with this header brings.
std::optional<consistency_token> read(std::string_view text, const wall_clock& clock) {
    http::request r;
    r.headers.add("X-Consistency-Token", text);
    return gateway::consistency_token_of(r, signer, clock);
}

} // namespace

TEST_CASE("a consistency token is read as it was written", "[unit][gateway]") {
    manual_clock clock{now};
    CHECK_FALSE(gateway::consistency_token_of(http::request{}, signer, clock));
    const consistency_token given{"00000001", postgres::lsn{0x16B374D848}, now};
    const auto token = read(given.signed_with(signer), clock);
    REQUIRE(token);
    CHECK(token->at_least == given.at_least);
    CHECK(token->timeline == given.timeline);
    CHECK(token->given_ms == given.given_ms);
}

TEST_CASE("a consistency token counts for ten minutes", "[unit][gateway]") {
    manual_clock clock{now};
    const auto text = consistency_token{"00000001", postgres::lsn{1}, now}.signed_with(signer);
    clock.advance(gateway::token_life);
    CHECK(read(text, clock));
    clock.advance(std::chrono::milliseconds{1});
    CHECK_FALSE(read(text, clock)); // an ordinary read from here on
}

TEST_CASE("a token that we did not give is refused", "[unit][gateway]") {
    const manual_clock clock{now};
    const consistency_token given{"00000001", postgres::lsn{0x16B374D848}, now};
    auto changed = given.signed_with(signer);
    changed[4] = changed[4] == 'A' ? 'B' : 'A';
    const std::vector<std::string> texts{"x",
                                         "00000001/16/B374D848",
                                         "00000001/FFFFFFFF/FFFFFFFF",
                                         changed,
                                         given.signed_with(gateway::cursor_signer{"another secret!!"}),
                                         signer.sign("sort=price&order=asc&limit=20", "00000001/1/0/1")};
    for (const auto& text : texts) {
        CAPTURE(text);
        try {
            read(text, clock);
            FAIL("it was taken");
        } catch (const http::problem& p) {
            CHECK(p.status() == 400);
            CHECK(p.code() == "bad_consistency_token");
        }
    }
}
