#include "slot.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::redis {

TEST_CASE("the slot of a key is the one that Redis computes", "[unit][redis]") {
    CHECK(slot_of_key("123456789") == 0x31C3); // the specification's example
    CHECK(slot_of_key("foo") == 12182);        // CLUSTER KEYSLOT foo
    CHECK(slot_of_key("") == 0);
}

TEST_CASE("only the first hash tag counts, unless it is empty", "[unit][redis]") {
    CHECK(slot_of_key("{user1000}.following") == slot_of_key("user1000"));
    CHECK(slot_of_key("bull:{scraping}:wait") == slot_of_key("scraping"));
    CHECK(slot_of_key("foo{}{bar}") == 8363); // CLUSTER KEYSLOT: the whole key
    CHECK(slot_of_key("foo{{bar}}zap") == slot_of_key("{bar"));
    CHECK(slot_of_key("foo{bar}{zap}") == slot_of_key("bar"));
    CHECK(slot_of_key("a{b") != slot_of_key("b"));
}

TEST_CASE("the first key of a command is found where the command has it", "[unit][redis]") {
    CHECK(first_key(command{"GET", "k"}) == "k");
    CHECK(first_key(command{"EVALSHA", "abc", 1, "k", "a"}) == "k");
    CHECK_FALSE(first_key(command{"EVAL", "return 1", 0}));
    CHECK(first_key(command{"XREAD", "BLOCK", 10, "STREAMS", "s", "$"}) == "s");
    CHECK(first_key(command{"XINFO", "STREAM", "s"}) == "s");
    CHECK_FALSE(first_key(command{"PING"}));
    CHECK_FALSE(first_key(command{"MULTI"}));
    CHECK_FALSE(first_key(command{"GET"}));
}

TEST_CASE("words of a command can be read again", "[unit][redis]") {
    const command c{"SET", "key", "a\r\n$3\r\nb", 17};
    CHECK(c.word(0) == "SET");
    CHECK(c.word(2) == "a\r\n$3\r\nb");
    CHECK(c.word(3) == "17");
    CHECK(c.word(4).empty());
}

TEST_CASE("redirections are read, and other errors are not taken for one", "[unit][redis]") {
    const auto moved = redirection_in("MOVED 3999 127.0.0.1:6381");
    REQUIRE(moved);
    CHECK_FALSE(moved->is_ask);
    CHECK(moved->slot == 3999);
    CHECK(moved->host == "127.0.0.1");
    CHECK(moved->port == 6381);
    const auto ask = redirection_in("ASK 1 ::1:7");
    REQUIRE(ask);
    CHECK(ask->is_ask);
    CHECK(ask->host == "::1");
    CHECK(redirection_in("MOVED 1 :7")->host.empty());
    for (const auto* text : {"", "MOVED", "MOVED x a:1", "MOVED 16384 a:1", "MOVED 1 a", "MOVED 1 a:x",
                             "ERR MOVED 1 a:1", "ASK", "MOVED -1 a:1", "MOVED 1 a:70000"})
        CHECK_FALSE(redirection_in(text));
}

} // namespace tiktrend::redis
