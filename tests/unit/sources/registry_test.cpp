#include "sources_fixture.hpp"

#include <tiktrend/sources/definition_test.hpp>
#include <tiktrend/sources/overlay.hpp>
#include <tiktrend/testing/samples.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <catch2/catch.hpp>

#include <fstream>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;
using namespace tiktrend::testing;

namespace {

std::string yaml_of(const std::string& id, const std::string& input = "{}") {
    parts p;
    p.input = input;
    auto text = p.yaml();
    return text.replace(text.find("test.shop"), 9, id);
}

std::string mistakes_in(const registry_result& result) {
    if (result) return "none";
    std::string out;
    const auto errors = result.error();
    for (const auto& e : errors)
        out += to_string(e) + "\n";
    return out;
}

} // namespace

TEST_CASE("a registry finds definitions by id", "[unit][sources][registry]") {
    const auto registry =
        make_registry({{"b.yaml", yaml_of("b.shop")}, {"a.yaml", yaml_of("a.shop")}}).value();
    CHECK(registry->all().size() == 2);
    CHECK(registry->all()[0]->id == "a.shop");
    CHECK(registry->find("b.shop")->file == "b.yaml");
    CHECK_FALSE(registry->find("c.shop"));
    CHECK_FALSE(registry->find(""));
}

TEST_CASE("two definitions of one id and mistakes of all files are told", "[unit][sources][registry]") {
    const auto found = mistakes_in(make_registry(
        {{"a.yaml", yaml_of("a.shop")}, {"b.yaml", yaml_of("a.shop")}, {"c.yaml", "format: 3"}}));
    CHECK(found.find("b.yaml: id: \"a.shop\" is the id of a.yaml too") != std::string::npos);
    CHECK(found.find("c.yaml:1:9: format: expected 1, found \"3\"") != std::string::npos);
}

TEST_CASE("the operator's defaults replace those of the file", "[unit][sources][registry]") {
    registry_options options;
    options.input_defaults = {{"a.shop.at", "HTTP://127.0.0.1:4000/"}};
    limits caps;
    caps.max_pages = 3;
    options.caps = caps;
    const auto registry =
        make_registry({{"a.yaml", yaml_of("a.shop", "{at: {type: origin}}")}}, options).value();
    const auto source = registry->find("a.shop");
    CHECK(validate_input(*source, "{}").value().find("at") == "http://127.0.0.1:4000");
    CHECK(validate_input(*source, R"({"at":"https://b.example"})").value().find("at") == "https://b.example");
    CHECK(source->input_schema.find("\"default\":\"http://127.0.0.1:4000\"") != std::string::npos);
    CHECK(source->input_schema.find("required") == std::string::npos);
    CHECK(source->limits.max_pages == 3);
    CHECK(source->limits.max_items == 10'000);

    options.input_defaults = {{"a.shop.at", "nowhere"}, {"a.shop.no", "x"}, {"z.at", "y"}};
    const auto found =
        mistakes_in(make_registry({{"a.yaml", yaml_of("a.shop", "{at: {type: origin}}")}}, options));
    CHECK(found.find("a.yaml: input.at: the operator's default \"nowhere\": Input should be http://") !=
          std::string::npos);
    CHECK(found.find("a.shop.no: names no input of any definition") != std::string::npos);
    CHECK(found.find("z.at: names no input of any definition") != std::string::npos);

    const auto parsed = parse_input_defaults({"a.b.c=x=y"});
    REQUIRE(parsed.has_value());
    CHECK(parsed->at("a.b.c") == "x=y");
    CHECK(parse_input_defaults({"a.b.c=x", "oops"}).error() == "oops");
}

TEST_CASE("a folder is loaded, and what cannot be read is told", "[unit][sources][registry]") {
    tiktrend::testing::temp_dir dir;
    const auto write = [&](const std::string& name, const std::string& text) {
        std::ofstream{std::filesystem::path{dir.path()} / name} << text;
    };
    write("a.yaml", yaml_of("a.shop"));
    write("b.yml", yaml_of("b.shop"));
    write("notes.txt", "not a definition");
    auto loaded = load_registry(dir.path());
    REQUIRE(loaded.has_value());
    CHECK((*loaded)->all().size() == 2);
    write("c.yaml", "kind: x");
    CHECK(mistakes_in(load_registry(dir.path())).find("c.yaml:1:7: kind: expected one of product, trend") !=
          std::string::npos);
    CHECK(mistakes_in(load_registry(std::filesystem::path{dir.path()} / "nowhere"))
              .find("the folder cannot be read") != std::string::npos);
}

TEST_CASE("a definition's own tests say what differs", "[unit][sources][registry]") {
    parts p;
    p.input = "{n: {type: integer, default: 1}}";
    p.fields += "  title: [t]\n  tags: [g]\n";
    p.rest = R"(tests:
  - {response: ok.json, input: {n: 2}, expect: {count: 2, next: none, first: {id: "1", title: A, tags: [x, y]}, last: {title: null}}}
  - {response: ok.json, expect: {count: 3, next: 2, first: {title: B, tags: [x], nothing: 1}, last: {tags: [z]}}}
  - {response: none.json, expect: {count: 0}}
  - {response: ok.json, status: 500, expect: {outcome: blocked}}
  - {response: ok.json, status: 500, expect: {count: 2}}
)";
    const auto source = define(p);
    const auto results =
        run_definition_tests(*source, [](std::string_view name) -> std::optional<std::string> {
            if (name != "ok.json") return std::nullopt;
            return R"({"rows":[{"id":1,"t":"A","g":["x","y"]},{"id":2}]})";
        });
    REQUIRE(results.size() == 5);
    CHECK(results[0].passed());
    CHECK(results[1].failures ==
          std::vector<std::string>{
              "count: expected 3, found 2", "next: expected 2, found none",
              "first.title: expected \"B\", found \"A\"", "first.tags: expected a list, found [\"x\",\"y\"]",
              "first.nothing: expected \"1\", found nothing", "last.tags: expected a list, found nothing"});
    CHECK(results[2].failures.at(0) == "there is no fixture \"none.json\"");
    CHECK(results[3].failures.at(0) == "outcome: expected blocked, found transient");
    CHECK(results[4].failures.at(0) == "outcome: expected ok, found transient (HTTP 500)");
}

namespace {

std::string with_follow(const std::string& id, const std::string& to, const std::string& input) {
    parts p;
    p.rest = "follow: [{from: body, path: [links, \"*\"], source: " + to + ", input: " + input + "}]\n";
    auto text = p.yaml();
    return text.replace(text.find("test.shop"), 9, id);
}

} // namespace

TEST_CASE("definitions that hand links to each other are taken in any order", "[unit][sources][registry]") {
    overlay over{{{"z.yaml", yaml_of("z.shop")}}, registry_options{}};
    const auto list = with_follow("a.list", "b.page", "url");
    const auto page = yaml_of("b.page", "{url: {type: url}}");
    const auto out = over.take(
        {{"a.list", 1, list}, {"b.page", 1, page}, {"c.none", 1, with_follow("c.none", "d.no", "url")}});
    CHECK(out.taken.size() == 2);
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].why == "database:c.none@1: follow: there is no source \"d.no\"");
    CHECK(over.current()->find("a.list"));
    CHECK(over.current()->find("b.page"));
}

TEST_CASE("links go only to inputs that are there", "[unit][sources][registry]") {
    const auto page = yaml_of("b.page", "{url: {type: url}}");
    CHECK(mistakes_in(make_registry(
              {{"a.yaml", with_follow("a.list", "b.page", "url")}, {"b.yaml", page}})) == "none");
    CHECK(mistakes_in(make_registry({{"a.yaml", with_follow("a.list", "b.page", "uri")},
                                     {"b.yaml", page}})) == "a.yaml: follow: b.page has no input \"uri\"\n");
}

TEST_CASE("texts from elsewhere stand in for files, and broken ones for nothing",
          "[unit][sources][registry]") {
    overlay over{{{"a.yaml", yaml_of("a.shop")}, {"b.yaml", yaml_of("b.shop")}}, registry_options{}};
    const auto files_only = over.current();
    CHECK_FALSE(over.take({}).changed);
    CHECK(over.current() == files_only);

    const auto out = over.take({{"a.shop", 7, yaml_of("a.shop", "{more: {type: origin}}")},
                                {"c.shop", 1, yaml_of("c.shop")},
                                {"d.shop", 2, yaml_of("e.shop")},
                                {"f.shop", 3, "format: 3"}});
    CHECK(out.changed);
    REQUIRE(out.taken.size() == 2);
    REQUIRE(out.refused.size() == 2);
    CHECK(out.refused[0].why == "its id is e.shop");
    CHECK(out.refused[1].why.rfind("database:f.shop@3", 0) == 0);
    CHECK(over.current()->all().size() == 3);
    CHECK(over.current()->find("a.shop")->file == "database:a.shop@7");
    CHECK(over.current()->find("b.shop")->file == "b.yaml");
    CHECK(files_only->find("a.shop")->file == "a.yaml"); // who began with it keeps it

    CHECK(over.take({}).changed);
    CHECK(over.current()->find("a.shop")->file == "a.yaml");
    CHECK_FALSE(over.current()->find("c.shop"));
}
