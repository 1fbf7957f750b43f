// What the generic definition reads from pages of many shapes. The pages (pages/*.html) are written for this
// test; each begins with a comment that says what must be found, "-" for nothing.
#include "sources_fixture.hpp"

#include <tiktrend/sources/registry.hpp>
#include <tiktrend/testing/samples.hpp>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <map>
#include <sstream>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;
using namespace tiktrend::testing;

namespace {

struct shaped_page {
    std::string name;
    std::string url;
    std::map<std::string, std::string> facts;
    std::string html;
};

shaped_page page_of(const named_text& file) {
    shaped_page out;
    out.name = file.name;
    const auto end = file.text.find("-->\n");
    REQUIRE(file.text.starts_with("<!--\n"));
    REQUIRE(end != std::string::npos);
    out.html = file.text.substr(end + 4);
    std::istringstream head{file.text.substr(5, end - 5)};
    std::string line;
    std::getline(head, line); // what the page is an example of
    while (std::getline(head, line)) {
        const auto colon = line.find(": ");
        REQUIRE(colon != std::string::npos);
        const auto name = line.substr(0, colon);
        (name == "url" ? out.url : out.facts[name]) = line.substr(colon + 2);
    }
    REQUIRE(out.facts.size() > 1);
    return out;
}

std::string fact(const page_result& page, const std::string& name) {
    if (page.records.empty()) return "-";
    const auto& r = page.records.front();
    if (const auto b = r.boolean(name)) return *b ? "true" : "false";
    if (const auto n = r.integer(name)) return std::to_string(*n);
    return std::string{r.text(name).value_or("-")};
}

struct tally {
    int right = 0, wrong = 0, missing = 0;
};

} // namespace

TEST_CASE("pages of many shapes give their facts", "[unit][sources][generic][shapes]") {
    const auto all = load_registry(source_root() / "apps" / "worker" / "sources").value();
    const auto source = all->find("generic.product_page");
    const auto files = files_of(source_root() / "tests" / "unit" / "sources" / "pages");
    REQUIRE(files.size() > 25);
    std::map<std::string, tally> table;
    for (const auto& file : files) {
        const auto page = page_of(file);
        auto response = answer(page.html, 200, "text/html; charset=utf-8");
        response.url = page.url;
        const auto result = read_page(*source, inputs_of(*source, "{\"url\":\"" + page.url + "\"}"),
                                      first_page(*source), response);
        INFO(page.name << " " << result.message);
        for (const auto& [name, expected] : page.facts) {
            INFO(name);
            const auto found = fact(result, name);
            auto& row = table[name];
            ++(found == expected ? row.right : found == "-" ? row.missing : row.wrong);
            CHECK(found == expected);
        }
    }
    std::string shown = "field        right wrong missing";
    for (const auto& [name, t] : table)
        shown += fmt::format("\n{:<12} {:5} {:5} {:7}", name, t.right, t.wrong, t.missing);
    WARN(shown);
}
