// docs/bad-inputs.md and the tests of this repository, kept together: what the list promises is tested under
// that number, and what is tested under a number stands in the list.

#include <tiktrend/testing/samples.hpp>

#include <catch2/catch.hpp>

#include <map>
#include <regex>
#include <set>

namespace fs = std::filesystem;
using namespace tiktrend::testing;

namespace {

using numbers = std::map<std::string, std::set<int>>; ///< "bad input", "curl trap", "parser trap"

/// "1 to 4" and "7, 8 and 10" as numbers.
std::set<int> numbers_in(const std::string& text) {
    std::set<int> out;
    const std::regex token{R"(to|\d+)"};
    bool is_range = false;
    for (auto at = std::sregex_iterator{text.begin(), text.end(), token}; at != std::sregex_iterator{};
         ++at) {
        if (at->str() == "to") {
            is_range = true;
            continue;
        }
        const int n = std::stoi(at->str());
        for (int i = is_range && !out.empty() ? *out.rbegin() + 1 : n; i <= n; ++i)
            out.insert(i);
        is_range = false;
    }
    return out;
}

/// What the names of test cases say that they test: `TEST_CASE("bad input 9 and 10, curl trap 1: …`.
numbers tested_in(const std::string& code) {
    numbers out;
    const std::regex name{R"re(TEST_CASE\(\s*"([^":]*):)re"};
    const std::regex part{R"((bad input|curl trap|parser trap)s? (\d+(?:(?:, | and | to )\d+)*))"};
    for (auto at = std::sregex_iterator{code.begin(), code.end(), name}; at != std::sregex_iterator{}; ++at) {
        const auto title = (*at)[1].str();
        for (auto p = std::sregex_iterator{title.begin(), title.end(), part}; p != std::sregex_iterator{};
             ++p)
            out[(*p)[1]].merge(numbers_in((*p)[2]));
    }
    return out;
}

const std::map<std::string, std::string> sections{{"## Bad inputs", "bad input"},
                                                  {"## Traps of libcurl", "curl trap"},
                                                  {"## Traps of parsers", "parser trap"}};

} // namespace

TEST_CASE("the numbers in the names of tests are read", "[unit][sources][bad_input]") {
    CHECK(numbers_in("1 to 4") == std::set<int>{1, 2, 3, 4});
    CHECK(numbers_in("7, 8 and 10") == std::set<int>{7, 8, 10});
    const auto found = tested_in("TEST_CASE(\"bad input 9 and 10, curl traps 1 to 3: x\",\n \"[y]\")\n"
                                 "TEST_CASE(\n    \"parser trap 2: z\")\nTEST_CASE(\"nothing 5: a\")");
    CHECK(found == numbers{{"bad input", {9, 10}}, {"curl trap", {1, 2, 3}}, {"parser trap", {2}}});
}

TEST_CASE("every bad input and trap of docs/bad-inputs.md is tested where it says",
          "[unit][sources][bad_input]") {
    std::istringstream list{read_file(source_root() / "docs" / "bad-inputs.md")};
    const std::regex row{R"(\| (\d+) \|.*\|([^|]*)\|$)"};
    const std::regex file{R"(`(tests/[^`]+_test\.cpp)`)"};
    numbers listed;
    std::string kind;
    for (std::string line; std::getline(list, line);) {
        if (const auto s = sections.find(line); s != sections.end()) kind = s->second;
        std::smatch found;
        if (!std::regex_match(line, found, row)) continue;
        INFO(line);
        const int n = std::stoi(found[1]);
        CHECK(listed[kind].insert(n).second);
        const auto where = found[2].str();
        int files = 0;
        for (auto f = std::sregex_iterator{where.begin(), where.end(), file}; f != std::sregex_iterator{};
             ++f) {
            ++files;
            INFO((*f)[1]);
            CHECK(tested_in(read_file(source_root() / (*f)[1].str()))[kind].contains(n));
        }
        CHECK(files > 0);
    }
    CHECK(listed["bad input"].size() == 43);
    CHECK(*listed["bad input"].rbegin() == 43);
    CHECK(listed["curl trap"].size() == 18);
    CHECK(listed["parser trap"].size() == 7);
    for (auto at = fs::recursive_directory_iterator{source_root() / "tests"}; at != end(at); ++at) {
        const auto path = at->path().string();
        if (at->path().filename() == "node_modules") at.disable_recursion_pending();
        if (!path.ends_with("_test.cpp") || path.ends_with("bad_input_list_test.cpp")) continue;
        for (const auto& [what, tested] : tested_in(read_file(at->path())))
            for (const int n : tested) {
                INFO(path << ": " << what << " " << n);
                CHECK(listed[what].contains(n));
            }
    }
}
