// Fields, outcomes and tests of a definition are checked like the rest of it.
#include "smallest_definition.hpp"
#include "sources_fixture.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;

namespace {

std::string field_mistakes(const std::string& rule) {
    return mistakes_of(with("{path: [title]}", rule));
}

} // namespace

TEST_CASE("field rules are checked against their types", "[unit][sources][definition]") {
    const auto has = [](const std::string& rule, const std::string& expected) {
        const auto found = field_mistakes(rule);
        INFO(rule << " → " << found);
        CHECK(found.find(expected) != std::string::npos);
    };
    has("{path: [t], type: mony}", "fields.title.type: expected one of text, url, money");
    has("{path: [t], type: money}",
        "fields.title.type: expected text, which title is in every source, found \"money\"");
    has("{type: text}", "11:10: fields.title: expected where the value is: one of path, css, xpath, any_of, "
                        "value, template, each, object, rows, none: true");
    has("{css: h1}",
        "11:16: fields.title.css: there is no document to look in: expected one with parse: html or xml");
    has("{any_of: [{css: h1}]}", "fields.title.any_of[0].css: there is no document to look in");
    has("{any_of: [{page: [a]}]}", "fields.title.any_of[0].page: unknown key; expected path, css, xpath, "
                                   "value, template, from_symbol or one of the documents body");
    has("{any_of: []}", "fields.title.any_of: expected a list of paths");
    has("{path: [t], clean: [shout]}", "fields.title.clean[0]: expected trim, collapse, html_to_text");
    has("{path: [t], clean: [{match: \"(a\"}]}",
        "fields.title.clean[0].match: expected a regular expression");
    has("{path: [t], split: \",\"}", "fields.title.split: cuts a text into a list: expected type list");
    has("{path: [t], reduce: min}", "fields.title.reduce: does not go with type text");
    has("{path: [t], currency: EUR}", "fields.title.currency: unknown key");
    has("{path: [t], max: lots}", "fields.title.max: expected an integer from 1 to 65536");
    has("{path: [t], required: maybe}", "fields.title.required: expected true or false");
    has("{none: true, required: true}", "fields.title: a field without a value cannot be required");
    has("{rows: [v], fields: {a: [a]}}", "fields.title: title is text in every source: choose another name");
    has("{template: \"{{ row }}\"}", "fields.title.template: unknown variable \"row\"");
    has("{value: \"{{ secret.x }}\"}", "fields.title.value: unknown variable \"secret.x\"");

    const auto extra = [](const std::string& rule) { return mistakes_of(good + "  x: " + rule + "\n"); };
    CHECK(
        extra("{path: [t], type: money, currency: euro}") ==
        "12:41: fields.x.currency: expected field:<name>, input:<name> or an ISO 4217 code, found \"euro\"");
    CHECK(extra("{path: [t], type: money, currency: field:title}") ==
          "12:41: fields.x.currency: expected field:<name> with the name of a field of type currency, found "
          "\"field:title\"");
    CHECK(extra("{path: [t], type: money, currency: input:shop}") ==
          "12:41: fields.x.currency: expected input:<name> with the name of an input of type currency, found "
          "\"input:shop\"");
    CHECK(extra("{path: [t], type: money, zero: 0}") == "12:37: fields.x.zero: expected null, found \"0\"");
    CHECK(extra("{path: [t], type: money, decimal: point}") ==
          "12:40: fields.x.decimal: expected one of auto, dot, comma, found \"point\"");
    CHECK(extra("{path: [t], type: money, decimal: \"{{ input.shop }}\"}") ==
          "12:40: fields.x.decimal: expected auto, dot, comma or an input whose enum holds only these, found "
          "\"{{ input.shop }}\"");
    CHECK(extra("{path: [t], type: count, drop_if: {not_above: field:title}}") ==
          "12:6: fields.x.drop_if.not_above: expected a field of the same type");
    CHECK(extra("{path: [t], type: count, drop_if: {not_above: field:x}}") ==
          "12:6: fields.x: refers to itself through other fields");
    CHECK(extra("{rows: [v]}") ==
          "12:6: fields.x.fields: is missing: expected a mapping of field names for each of the rows");
    CHECK(extra("{rows: [v], fields: {a: {rows: [b], fields: {c: [c]}}}}").find("fields.x.fields.a") !=
          std::string::npos);
    CHECK(extra("{each: [[a]], path: [b]}").find("stands alone") != std::string::npos);
    CHECK(extra("{object: [a]}") ==
          "12:15: fields.x.object: expected a mapping of names to paths, found a list");
}

TEST_CASE("outcome rules and tests are checked too", "[unit][sources][definition]") {
    const auto rule = [](const std::string& text) {
        return mistakes_of(good + "outcomes:\n  - " + text + "\n");
    };
    CHECK(rule("{when: {status: 404}, is: gone}").find("13:31: outcomes[0].is: expected one of ok, empty") ==
          0);
    CHECK(rule("{when: {status: 99}, is: invalid}")
              .find("13:21: outcomes[0].when.status: expected status codes") == 0);
    CHECK(rule("{when: {status: 6xx}, is: invalid}").find("13:21: outcomes[0].when.status") == 0);
    CHECK(rule("{when: {}, is: invalid}") ==
          "13:12: outcomes[0].when: expected at least one condition, found a mapping");
    CHECK(rule("{is: invalid}") == "13:5: outcomes[0].when: is missing: expected conditions");
    CHECK(rule("{when: {status: 404}}") == "13:5: outcomes[0]: is: missing: expected the name of an outcome");
    CHECK(rule("{when: {css: div}, is: blocked}")
              .find("13:18: outcomes[0].when.css: there is no document to look in") == 0);
    CHECK(rule("{when: {body: full}, is: blocked}").find("outcomes[0].when.body: expected empty") !=
          std::string::npos);
    CHECK(rule("{when: {missing: state}, is: blocked}")
              .find("expected a path, {css: …} or one of the documents body") != std::string::npos);
    CHECK(rule("{when: {path: [a], equals: 1, not: 2}, is: blocked}").find("expected exactly one of") !=
          std::string::npos);
    CHECK(rule("{when: {path: [a], matches: \"(\"}, is: blocked}").find("regular expression") !=
          std::string::npos);
    CHECK(rule("{when: {path: [a], from: page, equals: 1}, is: blocked}").find("outcomes[0].when.from") !=
          std::string::npos);

    const auto test = [](const std::string& text) {
        return mistakes_of(good + "tests:\n  - " + text + "\n");
    };
    CHECK(
        test("{expect: {count: 1}}").find("tests[0].response: is missing: expected the name of a fixture") !=
        std::string::npos);
    CHECK(test("{response: ../../etc/passwd, expect: {count: 1}}")
              .find("a file below the definition's folder") != std::string::npos);
    CHECK(test("{response: a.json}").find("tests[0].expect: is missing") != std::string::npos);
    CHECK(test("{response: a.json, expect: {}}").find("expected at least one of outcome") !=
          std::string::npos);
    CHECK(test("{response: a.json, expect: {total: 1}}").find("tests[0].expect.total: unknown key") !=
          std::string::npos);
    CHECK(test("{response: a.json, input: {x: 1}, expect: {count: 1}}").find("tests[0].input.x") !=
          std::string::npos);
}

TEST_CASE("all mistakes are told at once, in file order", "[unit][sources][definition]") {
    const auto found = mistakes_of(R"(format: 1
id: BAD
kind: thing
request: {url: "nowhere"}
documents: {body: {parse: json}}
records: {from: body, path: [rows]}
key: [field:id]
fields:
  id: {path: [id], type: nothing}
)");
    CHECK(found.find("2:5: id:") == 0);
    CHECK(found.find("\n3:7: kind:") != std::string::npos);
    CHECK(found.find("\n4:16: request.url:") != std::string::npos);
    CHECK(found.find("\n9:26: fields.id.type:") != std::string::npos);
}

TEST_CASE("the JSON form of a definition is read like its YAML form", "[unit][sources][definition]") {
    const auto source =
        define_yaml(R"({"format": 1, "id": "a.b", "kind": "trend", "request": {"url": "https://a.example/"},
        "documents": {"body": {"parse": "json"}}, "records": {"from": "body", "path": ["rows", -1]},
        "key": ["field:id"], "fields": {"id": ["id"]}})");
    CHECK(source->kind == record_kind::trend);
}
