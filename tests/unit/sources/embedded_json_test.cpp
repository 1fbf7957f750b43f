// JSON in the scripts of pages: where it begins, where it ends, and what it says.
#include "html/raw_html.hpp"
#include "sources_fixture.hpp"
#include "structured/framework_state.hpp"
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

TEST_CASE("a state whose members are places in a list is written out, within bounds",
          "[unit][sources][embedded]") {
    const auto state = [](std::string_view json) { return state_of_places(json).value_or("none"); };
    CHECK(state(R"([{"a":1,"b":2},"x",[3,-1],null])") == R"({"a":"x","b":[null,null]})");
    CHECK(state(R"([["Reactive",1],{"at":2},["Date","2024-05-06"]])") == R"({"at":"2024-05-06"})");
    CHECK(state(R"([{"a":7,"b":"x"},1])") == R"({"a":null,"b":null})"); // no such place, and none at all
    CHECK(state(R"(["x",1])") == "none");
    CHECK(state(R"({"a":1})") == "none");
    CHECK(state(R"([{"self":0},1])").size() < 2000); // ends, though it is within itself
    std::string bomb = "[[1,1]";
    for (int i = 2; i < 60; ++i)
        bomb += ",[" + std::to_string(i) + "," + std::to_string(i) + "]";
    CHECK(state(bomb + ",0]") == "none"); // two to the sixtieth
}

TEST_CASE("a state that a function makes of its arguments is written out", "[unit][sources][embedded]") {
    const auto state = [](std::string_view script) { return state_of_function(script).value_or("none"); };
    CHECK(state(R"(window.__NUXT__=(function(a,b){return {x:a,"b":b,c:[b,a],d:"a"}}("A",1));)") ==
          R"({"x":"A","b":1,"c":[1,"A"],"d":"a"})");
    CHECK(state(R"(window.__NUXT__=(function(a){return {x:a}})(void 0);)") == R"({"x":null})");
    CHECK(state("window.__NUXT__=(function(a){a.b=1;return {x:a}}(f(1)))") == "none"); // a call is no value
    CHECK(state("window.__NUXT__=(function(a){return ") == "none");
    CHECK(state("window.__NUXT__={a:1}") == "none"); // plain, and read as such
}

TEST_CASE("a state that comes in pieces is put together", "[unit][sources][embedded]") {
    const std::string page =
        R"(<script>self.__next_f.push([1,"5:[\"$\",\"p\",null,{\"name\":\"Te"])</script>)"
        R"(<script>self.__next_f.push([1,"a\",\"n\":\"\\u003cb\"}]\n6:I[1]\n"])</script>)"
        "<script>self.__next_f.push([0])</script><script>self.__next_f.push(</script>";
    const auto states = states_of_pieces(find_scripts(page));
    REQUIRE(states.size() == 1);
    CHECK(states[0] == R"(["$","p",null,{"name":"Tea","n":"\u003cb"}])");
}

TEST_CASE("the first of several names and ids that a page has is read", "[unit][sources][embedded]") {
    const std::string either =
        "{parse: embedded_json, script_id: [new, state], assignment: [window.NEW, window.X]}";
    CHECK(title_of(either, script(R"({"t":"by id"})")) == "by id");
    CHECK(title_of(either, assigned(R"(window.X = {"t":"by name"};)")) == "by name");
    CHECK(title_of(either, "<p>neither</p>") != "by id");
}
