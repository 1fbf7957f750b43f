#include "lua_files.hpp"
#include "scripts.hpp"

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

TEST_CASE("includes are put in once, before what needs them", "[unit][queue]") {
    const auto text = assemble_script("finish_and_fetch");
    CHECK(text.find("@include") == std::string::npos);
    CHECK(count(text, "local function read_settings") == 1);
    CHECK(count(text, "local function wake(") == 1);
    CHECK(text.find("local function read_settings") < text.find("local function wake("));
    CHECK(text.find("local function wake(") < text.find("local function promote_due"));
    CHECK_THROWS_AS(assemble_script("nothing"), std::logic_error);
}

TEST_CASE("every script states its contract and never reads the clock unless it says so", "[unit][queue]") {
    for (const auto& f : lua_files()) {
        CAPTURE(f.name);
        const std::string text{f.text};
        if (!f.name.starts_with("includes/")) {
            CHECK(text.starts_with("--[["));
            for (const char* heading : {"\nKEYS[1]", "\nReturns", "\nEvents", "\nBullMQ"})
                CHECK(text.find(heading) != std::string::npos);
        }
        const bool reads_the_clock = f.name == "depth.lua" || f.name == "fetch_when_woken.lua";
        CHECK(reads_the_clock == (text.find("'TIME'") != std::string::npos));
    }
}

TEST_CASE("a script keeps its identity", "[unit][queue]") {
    CHECK(scripts::all().add.sha1().size() == 40);
    CHECK(&scripts::all() == &scripts::all());
}

} // namespace
} // namespace tiktrend::queue
