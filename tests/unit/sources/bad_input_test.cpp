// The bad inputs of parsers, each with the number that it has in the project's list of them (those of pages
// as trees and texts, 29, 30, 32 and 34, are in html_test.cpp, 35 is in paging_test.cpp).
#include "json_document.hpp"
#include "sources_fixture.hpp"

#include <tiktrend/testing/samples.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;
using namespace tiktrend::testing;

namespace {

std::string outcome_of(std::string_view body, std::string_view type = "application/json",
                       const parts& p = parts{}) {
    const auto source = define(p);
    return std::string{name_of(
        read_page(*source, inputs_of(*source), first_page(*source), answer(body, 200, type)).outcome)};
}

std::string price(std::string_view text, const std::string& options = "currency: EUR") {
    return field_of("{path: [p], type: money, " + options + "}",
                    "{\"id\":1,\"p\":" + std::string{text} + "}");
}

definition_ptr page_definition(const std::string& limits = "{}") {
    return define_yaml(
        "format: 1\nid: a.b\nkind: product\nlimits: " + limits +
        "\nrequest: {url: \"https://a.example/\"}\ndocuments: {page: {parse: html}}\n"
        "records: {from: page, css: i}\nkey: [field:id]\nfields:\n  id: {css: \":scope\", required: true}\n");
}

} // namespace

TEST_CASE("bad input 17: a host variable may not leave the host", "[unit][sources][bad_input]") {
    parts p;
    p.input = "{shop: {type: string}}";
    p.request = "{url: \"https://{{ input.shop }}/list\"}";
    const auto source = define(p);
    for (const auto* shop :
         {"a.example/x", "a@b.example", "a.example#", "a.example?x", "a.example\\\\@b", "a b"}) {
        CAPTURE(shop);
        const auto inputs = validate_input(*source, std::string{R"({"shop":")"} + shop + "\"}");
        REQUIRE(inputs.has_value());
        const auto spec = render_request(*source, *inputs, {}, first_page(*source));
        REQUIRE_FALSE(spec.has_value());
        CHECK(spec.error().code == render_errc::bad_value);
    }
}

TEST_CASE("bad input 25 and 26: an empty body, a page for JSON, JSON for a page",
          "[unit][sources][bad_input]") {
    CHECK(outcome_of("") == "empty_body");
    CHECK(reaction_to(outcome::empty_body) == reaction::cool_down); // as a refusal
    CHECK(outcome_of("<html><p>hello", "text/html") == "unexpected_content");
    const auto source = page_definition();
    const auto read_body = [&](std::string_view body, std::string_view type) {
        return name_of(
            read_page(*source, inputs_of(*source), first_page(*source), answer(body, 200, type)).outcome);
    };
    CHECK(read_body(R"({"error":"no"})", "application/json") == "unexpected_content");
    CHECK(read_body("", "text/html") == "empty_body");
    CHECK(read_body("<i>1</i>", "text/html") == "ok");
}

TEST_CASE("bad input 27: JSON that is deep, large, doubled or broken", "[unit][sources][bad_input]") {
    CHECK(outcome_of(std::string(100'000, '[') + std::string(100'000, ']')) == "bad_json");
    CHECK(outcome_of(R"({"rows":[{"id":1},]})") == "bad_json");
    CHECK(outcome_of("\xEF\xBB\xBF{\"rows\":[{\"id\":1}]}") == "ok");
    CHECK(outcome_of("{\"rows\":[{\"id\":" + std::string(16 << 20, '9') + "}]}") ==
          "invalid"); // refused, not kept
    const auto source = define(parts{});
    const auto page =
        read(*source, "{\"rows\":[{\"id\":1,\"id\":2},{\"id\":\"a\\ud800b\"},{\"id\":\"c\\u0000d\xFF\"}]}");
    REQUIRE(page.records.size() == 3);
    CHECK(page.records[0].key == "1"); // the first counts
    CHECK(page.records[1].key == "a\xEF\xBF\xBD"
                                 "b");
    CHECK(page.records[2].key == "cd\xEF\xBF\xBD");
    CHECK(page.statistics.notes.duplicate_keys == 1);
    CHECK(page.statistics.notes.replaced_surrogates == 1);
    CHECK(page.statistics.notes.repaired_utf8);
    for (const auto& file : sample_files("json")) {
        CAPTURE(file.name);
        json_document document;
        const bool is_good = document.parse(file.text) == json_status::ok;
        CHECK(is_good == file.name.starts_with("y_"));
    }
}

TEST_CASE("bad input 28: ids beyond 2^53 stay whole, numbers beyond range become nothing",
          "[unit][sources][bad_input]") {
    CHECK(read(*define(parts{}), R"({"rows":[{"id":9007199254740993}]})").records.front().key ==
          "9007199254740993");
    CHECK(field_of("{path: [n], type: decimal}", R"({"id":1,"n":1e999})") == "nothing");
    CHECK(field_of("{path: [n], type: count}", R"({"id":1,"n":99999999999999999999})") == "nothing");
    CHECK(price("0.30000000000000004") == "\"0.30000000000000004\""); // the digits of the page, no double
    CHECK(price("19.99") == "\"19.99\"");
}

TEST_CASE("bad input 31: patterns that would take for ever are linear or refused",
          "[unit][sources][bad_input]") {
    const auto start = std::chrono::steady_clock::now();
    const auto text = std::string(30'000, 'a') + "!";
    CHECK(field_of("{path: [t], clean: [{match: \"(a+)+$\"}]}", "{\"id\":1,\"t\":\"" + text + "\"}") ==
          "nothing");
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{20});
    const auto refused = [](const std::string& pattern) {
        parts p;
        p.fields += "  x: {path: [t], clean: [{match: \"" + pattern + "\"}]}\n";
        return mistakes_of(p.yaml()).find("expected a regular expression") != std::string::npos;
    };
    CHECK(refused(".{1,1000}{1,1000}"));
    CHECK(refused("("));
    CHECK(mistakes_of(std::string(1 << 20, 'a')) != "none"); // a megabyte of anything
}

TEST_CASE("bad input 33: a selector that matches 100,000 rows is cut at max_items",
          "[unit][sources][bad_input]") {
    std::string html;
    for (int i = 0; i < 100'000; ++i)
        html += "<i>" + std::to_string(i) + "</i>";
    const auto source = page_definition("{max_items: 50}");
    const auto page =
        read_page(*source, inputs_of(*source), first_page(*source), answer(html, 200, "text/html"));
    CHECK(page.outcome == outcome::ok);
    CHECK(page.records.size() == 50);
    CHECK(page.statistics.over_limit > 0);
    CHECK(page.statistics.rows <= 100);
}

TEST_CASE("bad input 36: text is stored plain, bounded and without controls", "[unit][sources][bad_input]") {
    const auto title = [](const std::string& json) {
        return field_of("{path: [t], type: text}", "{\"id\":1,\"t\":" + json + "}");
    };
    CHECK(title(R"("<script>alert(1)</script>")") ==
          R"("<script>alert(1)</script>")"); // escaping is the reader's job
    CHECK(title(R"("a\u202Eb\u0007c\u0000d")") == R"("abcd")");
    CHECK(title("\"" + std::string(1 << 20, 'x') + "\"").size() == 4002);
    const auto source = page_definition();
    const auto page = read_page(*source, inputs_of(*source), first_page(*source),
                                answer("<i>a\xE2\x80\xAE&#7;b<script>x()</script></i>", 200, "text/html"));
    REQUIRE(page.records.size() == 1);
    CHECK(page.records.front().key == "ab");
}

TEST_CASE("bad input 37: only http and https links are kept", "[unit][sources][bad_input]") {
    const auto link = [](const std::string& text) {
        return field_of("{path: [u], type: url}", "{\"id\":1,\"u\":\"" + text + "\"}");
    };
    CHECK(link("javascript:alert(1)") == "nothing");
    CHECK(link("data:image/png;base64," + std::string(5 << 20, 'A')) == "nothing");
    CHECK(link("//cdn.example/a.jpg") == "\"https://cdn.example/a.jpg\"");
    CHECK(link("/a b.jpg") == "\"https://shop.example/a%20b.jpg\"");
}

TEST_CASE("bad input 38: prices as shops write them", "[unit][sources][bad_input]") {
    CHECK(price("\"1.234\"") == "\"1234.00\"");
    CHECK(price("\"1,234\"") == "\"1234.00\"");
    CHECK(price("\"1.234\"", "decimal: auto") ==
          "nothing"); // thousands or a fraction: a wrong guess costs a factor
    CHECK(price("\"1.234,50 €\"") == "\"1234.50\"");
    CHECK(price("\"30,000원~\"", "currency: KRW") == "\"30000\"");
    CHECK(price("\"$24.17 - 24.69\"", "currency: USD") == "\"24.17\"");
    CHECK(price("\"$24.17 - 24.69\"", "currency: USD, reduce: max") == "\"24.69\"");
    CHECK(price("\"from £5\"", "currency: GBP") == "\"5.00\"");
    CHECK(price("\"0\"", "currency: EUR, zero: null") == "nothing");
    CHECK(price("\"-5\"") == "nothing");
    CHECK(price("\"١٢٣\"") == "\"123.00\"");
    CHECK(price("24.990", "currency: CLP") == "\"24990\"");
    CHECK(price("\"89100\"", "currency: EUR, scale: 2") == "\"891.00\"");
    CHECK(price("\"5\"", "currency: EUR, scale: 2") == "\"0.05\"");
    CHECK(price("\"1.5\"", "currency: EUR, scale: 2") == "nothing");
}
