// JSON in the scripts of pages: where it begins, where it ends, and what it says.
#include "html/raw_html.hpp"
#include "sources_fixture.hpp"
#include "structured/lenient_json.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;

namespace {

/// The title that a definition with this `documents` entry reads from a page.
std::string title_of(const std::string& document, const std::string& html) {
    const auto source = define_yaml(
        "format: 1\nid: a.b\nkind: product\nrequest: {url: \"https://a.example/\"}\ndocuments: {state: " +
        document +
        "}\nrecords: {from: state}\nkey: [field:title]\nfields:\n  title: {path: [t], required: true}\n");
    const auto page =
        read_page(*source, inputs_of(*source), first_page(*source), answer(html, 200, "text/html"));
    return page.records.empty() ? std::string{name_of(page.outcome)}
                                : std::string{page.records.front().text("title").value_or("nothing")};
}

const std::string by_id = "{parse: embedded_json, script_id: state}";
const std::string by_name = "{parse: embedded_json, assignment: window.X}";

std::string script(const std::string& text) {
    return "<html><head><title>x</title></head><body><script id=\"state\" type=\"application/json\">" + text +
           "</script><p>after</p></body></html>";
}

std::string assigned(const std::string& text) {
    return "<html><body><script>var a = 1; " + text + "</script></body></html>";
}

} // namespace

TEST_CASE("parser trap 1: markup within the JSON of a script stays as it is", "[unit][sources][embedded]") {
    CHECK(title_of(by_id, script(R"({"t":"<p>one</p><b>two</b> &amp; </div>"})")) ==
          "<p>one</p><b>two</b> &amp; </div>");
    CHECK(title_of(by_id, script(R"({"t":"a <!-- b --> c"})")) == "a <!-- b --> c");
    CHECK(title_of(by_id, script(R"({"t":"<\/script>"})")) == "</script>");
    CHECK(title_of(by_name, assigned(R"(window.X = {"t":"</p><li>"};)")) == "</p><li>");
}

TEST_CASE("parser trap 5: an assigned value ends at its own bracket, not at the first that looks like it",
          "[unit][sources][embedded]") {
    const auto value = [](std::string_view text) { return assigned_json(text, "window.X").value_or("none"); };
    CHECK(value(R"(window.X = {"t":"};"}; window.Y = {};)") == R"({"t":"};"})");
    CHECK(value(R"(window.X={"t":"a \" }; \\"};)") == R"({"t":"a \" }; \\"})");
    CHECK(value(R"(window.X = {"a":{"b":[{"c":"]}"}]}} ; more())") == R"({"a":{"b":[{"c":"]}"}]}})");
    CHECK(value(R"(window.X = JSON.parse("{\"t\":\"};\"}");)") == R"({"t":"};"})");
    CHECK(value(R"(window.X = {"t": 1)") == "none"); // does not end
    CHECK(value("window.Xs = {\"t\":1}; other.window = 2") == "none");
    CHECK(value("window.X == {\"t\":1}") == "none");
    CHECK(title_of(by_name, assigned(R"(if (window.X) { f(); } window.X = {"t":"}; </p>"};)")) == "}; </p>");
}

TEST_CASE("the first of several names and ids that a page has is read", "[unit][sources][embedded]") {
    const std::string either =
        "{parse: embedded_json, script_id: [new, state], assignment: [window.NEW, window.X]}";
    CHECK(title_of(either, script(R"({"t":"by id"})")) == "by id");
    CHECK(title_of(either, assigned(R"(window.X = {"t":"by name"};)")) == "by name");
    CHECK(title_of(either, "<p>neither</p>") != "by id");
}
