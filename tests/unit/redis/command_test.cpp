#include <tiktrend/redis/command.hpp>

#include <catch2/catch.hpp>

#include <array>

using namespace tiktrend;
using namespace std::string_literals;

TEST_CASE("a command is an array of bulk strings", "[unit][redis]") {
    const redis::command c{"SET", "key", "value"s, "EX", 60};
    CHECK(c.encoded() == "*5\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n$2\r\nEX\r\n$2\r\n60\r\n");
    CHECK(c.words() == 5);
    CHECK(c.name() == "SET");
    CHECK(c.encoded().size() <= c.encoded_size());
}

TEST_CASE("words are binary safe and may be empty", "[unit][redis]") {
    const redis::command c{"ECHO", "a\0\r\n$1"s, ""};
    CHECK(c.encoded() == "*3\r\n$4\r\nECHO\r\n$6\r\na\0\r\n$1\r\n$0\r\n\r\n"s);
}

TEST_CASE("numbers are written in full", "[unit][redis]") {
    const redis::command c{"X", std::numeric_limits<std::int64_t>::min(), 0, std::uint16_t{65535}};
    CHECK(c.encoded() == "*4\r\n$1\r\nX\r\n$20\r\n-9223372036854775808\r\n$1\r\n0\r\n$5\r\n65535\r\n");
    const redis::command largest{"X", std::numeric_limits<std::uint64_t>::max()};
    CHECK(largest.encoded() == "*2\r\n$1\r\nX\r\n$20\r\n18446744073709551615\r\n");
}

TEST_CASE("words can be added later", "[unit][redis]") {
    redis::command c{"DEL"};
    const std::array<std::string_view, 2> keys{"a", "b"};
    c.reserve(64).args(keys);
    std::string out = "before ";
    c.append_to(out);
    CHECK(out == "before *3\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n");
}
