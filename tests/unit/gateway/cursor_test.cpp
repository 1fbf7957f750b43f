#include "cursor.hpp"

#include <catch2/catch.hpp>

using tiktrend::gateway::cursor_signer;

TEST_CASE("a cursor opens only with its secret, its scope and unchanged", "[unit][gateway]") {
    const cursor_signer a{"0123456789abcdef"};
    const auto text = a.sign("sort=price", std::string{"7:19.90\0x", 9});
    CHECK(text.find_first_of("+/=") == std::string::npos);
    CHECK(a.open("sort=price", text) == std::string{"7:19.90\0x", 9});
    CHECK_FALSE(a.open("sort=rating", text));
    CHECK_FALSE(cursor_signer{"another secret!!"}.open("sort=price", text));
    for (std::size_t i = 0; i < text.size() - 1; ++i) {
        auto changed = text;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CHECK_FALSE(a.open("sort=price", changed));
    }
    CHECK_FALSE(a.open("sort=price", ""));
    CHECK_FALSE(a.open("sort=price", "not*base64"));
    CHECK_FALSE(a.open("sort=price", text.substr(0, 8)));
}
