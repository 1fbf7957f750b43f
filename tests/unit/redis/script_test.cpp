#include <tiktrend/redis/script.hpp>

#include <catch2/catch.hpp>

TEST_CASE("a script knows the SHA-1 that Redis will give it", "[unit][redis]") {
    // SCRIPT LOAD "return 1" on Redis 7.0.15
    const tiktrend::redis::script s{"one", "return 1"};
    CHECK(s.sha1() == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    CHECK(s.name() == "one");
    CHECK(s.text() == "return 1");
}
