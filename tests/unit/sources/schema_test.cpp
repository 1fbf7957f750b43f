// docs/source.schema.json and the parser know the same keys: a key that only one of them takes fails here.
// Each key is then given what it does not want.
#include "json_document.hpp"
#include "sources_fixture.hpp"

#include <tiktrend/testing/samples.hpp>

#include <catch2/catch.hpp>

#include <set>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;
using namespace tiktrend::testing;

namespace {

/// The keys that the parser expects where `yaml` has the unknown key zzz.
std::set<std::string> parser_keys(const std::string& yaml) {
    const auto found = mistakes_of(yaml);
    constexpr std::string_view phrase = "zzz: unknown key; expected one of ";
    const auto at = found.find(phrase);
    INFO(found);
    REQUIRE(at != std::string::npos);
    auto rest = std::string_view{found}.substr(at + phrase.size());
    rest = rest.substr(0, rest.find('\n'));
    std::set<std::string> out;
    while (!rest.empty()) {
        const auto end = std::min(rest.find(", "), rest.size());
        out.emplace(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 2, rest.size()));
    }
    return out;
}

struct section {
    std::string pointer;           ///< of its properties in the schema, steps joined by '/'
    std::vector<std::string> yaml; ///< definitions with zzz in it; what they expect together is the section
};

std::string with(const std::string& name, const std::string& value) {
    std::string out = "format: 1\nid: a.b\nkind: product\n";
    if (name != "input") out += "input: {a: {type: string}}\n";
    if (name != "documents") out += "documents: {body: {parse: json}, page: {parse: html}}\n";
    out += name + ": " + value + "\n";
    return out;
}

/// Every place of a definition that has keys of its own.
const std::vector<section>& sections() {
    static const std::vector<section> all{
        {"properties", {"zzz: 1\n"}},
        {"properties/limits/properties", {with("limits", "{zzz: 1}")}},
        {"properties/politeness/properties", {with("politeness", "{zzz: 1}")}},
        {"properties/retired/properties", {with("retired", "{zzz: 1}")}},
        {"properties/validate/properties", {with("validate", "{zzz: 1}")}},
        {"$defs/input/properties",
         {with("input", "{a: {type: string, zzz: 1}}"), with("input", "{a: {type: host, zzz: 1}}")}},
        {"$defs/request/properties", {with("request", "{zzz: 1}")}},
        {"$defs/request/properties/body/properties",
         {with("request", "{url: \"https://a.example\", body: {text: x, zzz: 1}}")}},
        {"$defs/document/properties",
         {with("documents", "{a: {parse: json, zzz: 1}}"),
          with("documents", "{a: {parse: embedded_json, zzz: 1}}"),
          with("documents", "{a: {parse: structured, syntax: json_ld, zzz: 1}}")}},
        {"$defs/pages/properties",
         {with("pages", "{by: number, zzz: 1}"), with("pages", "{by: offset, zzz: 1}"),
          with("pages", "{by: cursor, zzz: 1}"), with("pages", "{by: header, zzz: 1}")}},
        {"$defs/value_test/properties", {with("pages", "{by: number, until: {zzz: 1}}")}},
        {"$defs/outcome/properties", {with("outcomes", "[{zzz: 1}]")}},
        {"$defs/when/properties", {with("outcomes", "[{when: {zzz: 1}}]")}},
        {"$defs/records/properties",
         {with("records", "{zzz: 1}"), with("records", "{from: page, css: a, zzz: 1}"),
          with("records", "{first_of: [body], zzz: 1}")}},
        {"$defs/follow/properties", {with("follow", "[{zzz: 1}]")}},
        {"$defs/field/anyOf/1/properties",
         {with("fields", "{a: {zzz: 1}}"), with("fields", "{a: {type: money, zzz: 1}}"),
          with("fields", "{a: {rows: [a], fields: {b: [b]}, zzz: 1}}"),
          with("fields", "{a: {each: [[a]], zzz: 1}}")}},
        {"$defs/field/anyOf/1/properties/drop_if/properties", {with("fields", "{a: {drop_if: {zzz: 1}}}")}},
        {"$defs/test/properties", {with("tests", "[{zzz: 1}]")}},
        {"$defs/test/properties/expect/properties", {with("tests", "[{expect: {zzz: 1}}]")}},
    };
    return all;
}

} // namespace

TEST_CASE("the published schema has the keys of the parser", "[unit][sources][definition]") {
    const auto text = read_file(source_root() / "docs" / "source.schema.json");
    json_document schema;
    REQUIRE(schema.parse(text) == json_status::ok);
    for (const auto& s : sections()) {
        CAPTURE(s.pointer);
        auto node = schema.root();
        std::string_view rest = s.pointer;
        while (!rest.empty()) {
            const auto end = std::min(rest.find('/'), rest.size());
            const auto step = rest.substr(0, end);
            node = node.is(json_kind::array) ? node.element(1) : node.member(step);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        REQUIRE(node.is(json_kind::object));
        std::set<std::string> published;
        node.each_member([&](std::string_view key, json_node) {
            published.emplace(key);
            return true;
        });
        std::set<std::string> parsed;
        for (const auto& yaml : s.yaml)
            parsed.merge(parser_keys(yaml));
        CHECK(published == parsed);
    }
}

TEST_CASE("a value of any shape under any key is read or refused", "[unit][sources][definition]") {
    const std::vector<std::string> values{"~", "[]",   "{}", "[~]",  "{a: ~}", "[[]]",
                                          "x", "\"\"", "-1", "true", "/a",     "{css: ~}"};
    for (const auto& s : sections()) {
        std::set<std::string> keys; // some are asked for only where another stands
        for (const auto& yaml : s.yaml)
            keys.merge(parser_keys(yaml));
        for (const auto& yaml : s.yaml)
            for (const auto& key : keys)
                for (const auto& value : values) {
                    auto text = yaml;
                    text.replace(text.find("zzz: 1"), 6, key + ": " + value);
                    CAPTURE(text);
                    const auto parsed = parse_definition("t.yaml", text);
                    REQUIRE(!parsed); // none is whole: a section or more is missing from each
                    for (const auto& mistake : parsed.error())
                        if (mistake.line < 1 || mistake.message.empty()) FAIL_CHECK(to_string(mistake));
                }
    }
}
