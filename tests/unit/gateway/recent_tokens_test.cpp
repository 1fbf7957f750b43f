#include "middleware/recent_tokens.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend;
using gateway::recent_tokens;

TEST_CASE("a token counts as good for its time, and no longer than it is good", "[unit][gateway]") {
    recent_tokens tokens;
    const recent_tokens::clock::time_point now{};
    CHECK_FALSE(tokens.contains("a", now));
    tokens.add("a", now);
    CHECK(tokens.contains("a", now + recent_tokens::life - std::chrono::seconds{1}));
    CHECK_FALSE(tokens.contains("a", now + recent_tokens::life));
    CHECK_FALSE(tokens.contains("b", now));
    tokens.remove("a");
    CHECK_FALSE(tokens.contains("a", now));
}

TEST_CASE("what is remembered of tokens is bounded", "[unit][gateway]") {
    recent_tokens tokens;
    for (std::size_t i = 0; i <= recent_tokens::most; ++i)
        tokens.add(std::to_string(i));
    CHECK_FALSE(tokens.contains("0"));
    CHECK(tokens.contains(std::to_string(recent_tokens::most)));
}
