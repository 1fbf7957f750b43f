// libs/queue/README.md says for each thing that BullMQ has which test proves ours. Those tests must exist.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::string contents(const std::filesystem::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\n'))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

/// The text of the string literal, or of several side by side, at the beginning of `code`.
std::string literal(std::string_view code) {
    std::string out;
    for (code = trimmed(code); code.starts_with('"'); code = trimmed(code)) {
        const auto end = code.find('"', 1);
        if (end == std::string_view::npos) break;
        out += code.substr(1, end - 1);
        code.remove_prefix(end + 1);
    }
    return out;
}

std::set<std::string> names_of_tests(const std::filesystem::path& tests) {
    constexpr std::string_view word = "TEST_CASE(";
    std::set<std::string> names;
    for (auto at = std::filesystem::recursive_directory_iterator{tests};
         at != std::filesystem::recursive_directory_iterator{}; ++at) {
        if (at->path().filename() == "node_modules") at.disable_recursion_pending();
        if (at->path().extension() != ".cpp") continue;
        const auto code = contents(at->path());
        for (auto found = code.find(word); found != std::string::npos; found = code.find(word, found + 1))
            names.insert(literal(std::string_view{code}.substr(found + word.size())));
    }
    return names;
}

/// Rows of the tables with the heading "BullMQ | Here | Test": the first cell, and the names in the last.
struct row {
    std::string feature;
    std::vector<std::string> tests;
};
std::vector<row> rows_of(const std::string& readme) {
    constexpr std::string_view heading = "| BullMQ | Here | Test |\n|---|---|---|\n";
    std::vector<row> rows;
    for (auto table = readme.find(heading); table != std::string::npos;
         table = readme.find(heading, table + 1)) {
        auto rest = std::string_view{readme}.substr(table + heading.size());
        while (rest.starts_with("| ")) {
            auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            line = line.substr(2, line.rfind(" |") - 2);
            row r{std::string{line.substr(0, line.find(" | "))}, {}};
            auto cell = line.substr(line.rfind(" | ") + 3);
            while (!cell.empty()) {
                const auto end = cell.find("; ");
                r.tests.emplace_back(cell.substr(0, end));
                cell.remove_prefix(end == std::string_view::npos ? cell.size() : end + 2);
            }
            rows.push_back(std::move(r));
        }
    }
    return rows;
}

TEST_CASE("every row of the queue's README names tests that exist", "[unit][queue][docs]") {
    const auto* root = std::getenv("TIKTREND_SOURCE_DIR");
    REQUIRE(root);
    const std::filesystem::path source{root};
    const auto rows = rows_of(contents(source / "libs/queue/README.md"));
    const auto names = names_of_tests(source / "tests");
    CHECK(rows.size() > 70);
    for (const auto& r : rows) {
        CAPTURE(r.feature);
        CHECK_FALSE(r.tests.empty());
        for (const auto& test : r.tests) {
            CAPTURE(test);
            CHECK(names.contains(test));
        }
    }
}

} // namespace
