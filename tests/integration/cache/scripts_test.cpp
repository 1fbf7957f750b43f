// Every return code of the three scripts, and every key before and after.
#include "fixture.hpp"

#include <tiktrend/base/embedded.hpp>

#include <span>

namespace tiktrend::cache {
namespace lua {
std::span<const embedded_file> files() noexcept;
}
namespace {

testing::redis_server& server() {
    return testing::redis_server::shared();
}

std::string run(std::string_view name, std::vector<std::string> keys, std::vector<std::string> args) {
    for (const auto& f : lua::files()) {
        if (f.name != name) continue;
        std::vector<std::string> words{"EVAL", std::string{f.text}, std::to_string(keys.size())};
        words.insert(words.end(), keys.begin(), keys.end());
        words.insert(words.end(), args.begin(), args.end());
        return server().command(words);
    }
    throw std::logic_error("no script " + std::string{name});
}

std::string get(const std::string& k) {
    return server().command({"GET", k});
}
std::string lsn(std::string_view n) {
    return std::string(20 - n.size(), '0') + std::string{n};
}
const std::vector<std::string> fill_keys{"era", "guard", "value"};

} // namespace

TEST_CASE("fill.lua stores when nothing changed", "[integration][cache]") {
    server().command({"FLUSHALL"});
    SECTION("without any guard, which stays missing") {
        CHECK(run("fill.lua", fill_keys, {"", "", lsn("5"), "60000", "", "body"}) == "stored");
        CHECK(get("guard") == "(nil)");
    }
    SECTION("and creates the guard if it should") {
        CHECK(run("fill.lua", fill_keys, {"", "", lsn("5"), "60000", "t " + lsn("0"), "body"}) == "stored");
        CHECK(get("guard") == "t " + lsn("0"));
        CHECK(server().command({"PTTL", "guard"}) == "-1");
    }
    SECTION("with the guard and era of the miss, at the same LSN") {
        server().command({"MSET", "era", "e", "guard", "t " + lsn("5")});
        CHECK(run("fill.lua", fill_keys,
                  {"e", "t " + lsn("5"), lsn("5"), "60000", "u " + lsn("0"), "body"}) == "stored");
        CHECK(get("guard") == "t " + lsn("5"));
    }
    SECTION("comparing LSNs above 2^53 exactly") {
        server().command({"SET", "guard", "t 18446744073709551614"});
        CHECK(run("fill.lua", fill_keys,
                  {"", "t 18446744073709551614", "18446744073709551613", "60000", "", "x"}) == "too_old");
        CHECK(run("fill.lua", fill_keys,
                  {"", "t 18446744073709551614", "18446744073709551615", "60000", "", "body"}) == "stored");
    }
    CHECK(get("value") == "body");
    const auto life = std::stoll(server().command({"PTTL", "value"}));
    CHECK(life > 50'000);
    CHECK(life <= 60'000);
}

TEST_CASE("fill.lua forgets the old answer of an item", "[integration][cache]") {
    server().command({"FLUSHALL"});
    server().command({"MSET", "old", "before", "era", "e"});
    const std::vector<std::string> keys{"era", "guard", "value", "old"};
    CHECK(run("fill.lua", keys, {"other", "", lsn("5"), "60000", "", "body"}) == "moved");
    CHECK(get("old") == "before");
    CHECK(run("fill.lua", keys, {"e", "", lsn("5"), "60000", "", "body"}) == "stored");
    CHECK(get("old") == "(nil)");
}

TEST_CASE("fill.lua writes nothing when something changed", "[integration][cache]") {
    server().command({"FLUSHALL"});
    std::string result;
    SECTION("a guard appeared") {
        server().command({"SET", "guard", "t " + lsn("5")});
        result = run("fill.lua", fill_keys, {"", "", lsn("9"), "60000", "", "body"});
        CHECK(result == "moved");
    }
    SECTION("the guard moved") {
        server().command({"SET", "guard", "t " + lsn("5")});
        result = run("fill.lua", fill_keys, {"", "s " + lsn("5"), lsn("9"), "60000", "", "body"});
        CHECK(result == "moved");
    }
    SECTION("the guard went") {
        result =
            run("fill.lua", fill_keys, {"", "s " + lsn("5"), lsn("9"), "60000", "u " + lsn("0"), "body"});
        CHECK(result == "moved");
        CHECK(get("guard") == "(nil)");
    }
    SECTION("the era moved") {
        server().command({"SET", "era", "new"});
        result = run("fill.lua", fill_keys, {"old", "", lsn("9"), "60000", "", "body"});
        CHECK(result == "moved");
    }
    SECTION("the answer is older than the last invalidation") {
        server().command({"SET", "guard", "t " + lsn("10")});
        result = run("fill.lua", fill_keys, {"", "t " + lsn("10"), lsn("9"), "60000", "", "body"});
        CHECK(result == "too_old");
    }
    CHECK(get("value") == "(nil)");
}

TEST_CASE("invalidate.lua drops answers, moves guards and never lowers an LSN", "[integration][cache]") {
    server().command({"FLUSHALL"});
    server().command({"MSET", "g1", "old " + lsn("50"), "lists", "old " + lsn("7"), "o2", "older"});
    server().command({"SET", "v1", "body", "PX", "40000"});
    const std::vector<std::string> keys{"lists", "g1", "v1", "o1", "g2", "v2", "o2"};
    SECTION("with the lists") {
        CHECK(run("invalidate.lua", keys, {"new", lsn("20"), "60000", "1"}) == "1");
        CHECK(get("lists") == "new " + lsn("20"));
        CHECK(server().command({"PTTL", "lists"}) == "-1");
    }
    SECTION("without the lists") {
        CHECK(run("invalidate.lua", keys, {"new", lsn("20"), "60000", "0"}) == "1");
        CHECK(get("lists") == "old " + lsn("7"));
    }
    CHECK(get("v1") == "(nil)");
    CHECK(get("o1") == "body"); // for as long as it would have been the answer
    CHECK(std::stoll(server().command({"PTTL", "o1"})) > 30'000);
    CHECK(get("o2") == "older");
    CHECK(get("g1") == "new " + lsn("50"));
    CHECK(get("g2") == "new " + lsn("20"));
    const auto life = std::stoll(server().command({"PTTL", "g1"}));
    CHECK(life > 50'000);
    CHECK(life <= 60'000);
}

TEST_CASE("clear.lua moves the era", "[integration][cache]") {
    server().command({"FLUSHALL"});
    const auto clear = [](std::string key, std::string token, std::string keeps_old, std::string at) {
        CHECK(run("clear.lua", {key}, {token, keeps_old, lsn(at)}) == "1");
        return get(key);
    };
    CHECK(clear("era", "one", "0", "20") == "one " + lsn("20"));
    CHECK(clear("era", "two", "0", "7") == "two " + lsn("20")); // an LSN never goes back
    CHECK(clear("era", "three", "1", "21") == "two.three " + lsn("21"));
    CHECK(clear("era", "four", "1", "0") == "two.four " + lsn("21"));
    CHECK(clear("era", "five", "0", "22") == "five " + lsn("22"));
    CHECK(clear("never", "six", "1", "1") == ".six " + lsn("1"));
}

TEST_CASE("fill.lua refuses what was read before the scope was cleared", "[integration][cache]") {
    server().command({"FLUSHALL"});
    const auto era = "e " + lsn("100");
    server().command({"SET", "era", era});
    CHECK(run("fill.lua", fill_keys, {era, "", lsn("99"), "60000", "", "body"}) == "too_old");
    CHECK(get("value") == "(nil)");
    CHECK(run("fill.lua", fill_keys, {era, "", lsn("100"), "60000", "", "body"}) == "stored");
    // An era as an older release wrote it, without an LSN, refuses nothing.
    server().command({"SET", "era", "bare"});
    CHECK(run("fill.lua", fill_keys, {"bare", "", lsn("1"), "60000", "", "body"}) == "stored");
}

} // namespace tiktrend::cache
