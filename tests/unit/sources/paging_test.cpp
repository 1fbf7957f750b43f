// From page to page: offsets, cursors, links in pages and in headers; requests with a body.
#include "sources_fixture.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;

namespace {

definition_ptr paged(const std::string& pages,
                     const std::string& request = "{url: \"https://shop.example/list\"}") {
    parts p;
    p.pages = "pages: " + pages;
    p.request = request;
    return define(p);
}

std::string end_of(const page_result& page) {
    if (page.outcome != outcome::ok) return page.message;
    if (!page.next) return std::string{name_of(page.end)};
    if (!page.next->url.empty()) return page.next->url;
    return page.next->cursor.empty() ? std::to_string(page.next->number) : page.next->cursor;
}

page_result read_at(const definition& source, page_state state, std::string_view body,
                    std::vector<std::pair<std::string_view, std::string_view>> headers = {}) {
    auto response = answer(body);
    response.headers = std::move(headers);
    return read_page(source, inputs_of(source), std::move(state), response);
}

std::string url_of(const definition& source, const page_state& state) {
    return render_request(source, inputs_of(source), {}, state).value().url;
}

} // namespace

TEST_CASE("offsets grow by the step until the total", "[unit][sources][pages]") {
    const auto source = paged("{by: offset, step: 20, total: [total]}",
                              "{url: \"https://shop.example/list\", query: {from: \"{{ page.offset }}\"}}");
    auto page = read_at(*source, first_page(*source), R"({"total":44,"rows":[{"id":1}]})");
    REQUIRE(end_of(page) == "20");
    CHECK(url_of(*source, *page.next) == "https://shop.example/list?from=20");
    page = read_at(*source, *page.next, R"({"total":44,"rows":[{"id":2}]})");
    REQUIRE(end_of(page) == "40");
    CHECK(end_of(read_at(*source, *page.next, R"({"total":44,"rows":[{"id":3}]})")) == "last_page");
}

TEST_CASE("bad input 35: cursors and links that lead nowhere new end the pages",
          "[unit][sources][pages][bad_input]") {
    const auto source = paged("{by: cursor, next: [next]}",
                              "{url: \"https://shop.example/list\", query: {after: \"{{ cursor }}\"}}");
    CHECK(url_of(*source, first_page(*source)) == "https://shop.example/list");
    auto page = read_at(*source, first_page(*source), R"({"next":"b","rows":[{"id":1}]})");
    REQUIRE(end_of(page) == "b");
    CHECK(url_of(*source, *page.next) == "https://shop.example/list?after=b");
    const auto saved = page_state::from_json(page.next->to_json());
    REQUIRE(saved);
    CHECK(saved->cursor == "b");
    CHECK(end_of(read_at(*source, *saved, R"({"next":"b","rows":[{"id":2}]})")) == "repeated");
    page = read_at(*source, *page.next, R"({"next":"c","rows":[{"id":2}]})");
    REQUIRE(end_of(page) == "c");
    CHECK(end_of(read_at(*source, *page.next, R"({"next":"b","rows":[{"id":3}]})")) ==
          "repeated"); // a circle
    CHECK(end_of(read_at(*source, *page.next, R"({"next":null,"rows":[{"id":3}]})")) == "no_next");

    const auto linked = paged("{by: link, next: [next]}");
    const auto first = first_page(*linked);
    CHECK(end_of(read_at(*linked, first, R"({"next":"/list?page=2","rows":[{"id":1}]})")) ==
          "https://shop.example/list?page=2");
    CHECK(end_of(read_at(*linked, first, R"({"next":"/list?page=1","rows":[{"id":1}]})")) ==
          "repeated"); // to itself
    CHECK(end_of(read_at(*linked, first, R"({"next":"https://other.example/","rows":[{"id":1}]})")) ==
          "foreign_link");
    CHECK(end_of(read_at(*linked, first, R"({"next":"javascript:alert","rows":[{"id":1}]})")) == "no_next");
    page = read_at(*linked, first, R"({"next":"/list?page=2","rows":[{"id":1}]})");
    CHECK(url_of(*linked, *page.next) == "https://shop.example/list?page=2");
}

TEST_CASE("the Link header leads on, and a header tells the last page", "[unit][sources][pages]") {
    const auto source = paged("{by: header}");
    const auto read_with = [&](std::string_view link) {
        return end_of(read_at(*source, first_page(*source), R"({"rows":[{"id":1}]})", {{"link", link}}));
    };
    CHECK(
        read_with("<https://shop.example/l?p=1>; rel=\"prev\", <https://shop.example/l?p=3>; rel=\"next\"") ==
        "https://shop.example/l?p=3");
    CHECK(read_with("</l?p=3>; rel=next; title=\"a\"") == "https://shop.example/l?p=3");
    CHECK(read_with("<https://shop.example/l?p=1>; rel=\"prev\"") == "no_next");
    CHECK(read_with("<broken") == "no_next");
    const auto counted = paged("{by: number, last: {header: X-Pages}}");
    CHECK(end_of(read_at(*counted, first_page(*counted), R"({"rows":[{"id":1}]})", {{"x-pages", "2"}})) ==
          "2");
    CHECK(end_of(read_at(*counted, first_page(*counted), R"({"rows":[{"id":1}]})", {{"x-pages", "1"}})) ==
          "last_page");
    // Without the header only what else ends the list can tell.
    CHECK(end_of(read_at(*counted, first_page(*counted), R"({"rows":[{"id":1}]})", {})) == "last_page");
    for (const auto* otherwise : {"until: {path: [rows], is: empty_array}", "stop_on_repeat: true"}) {
        const auto goes_on = paged("{by: number, last: {header: X-Pages}, " + std::string{otherwise} + "}");
        CHECK(end_of(read_at(*goes_on, first_page(*goes_on), R"({"rows":[{"id":1}]})", {})) == "2");
    }
}

TEST_CASE("bad input 42: a link does not take a secret out of TLS", "[unit][sources][pages]") {
    parts p;
    p.pages = "pages: {by: link, next: [next]}";
    p.request = "{url: \"https://shop.example/list\", headers: {x-key: \"{{ secret.k }}\"}}";
    p.rest = "secrets: [k]\n";
    const auto next_of = [](const definition_ptr& source, const std::string& scheme) {
        const auto body = R"({"rows":[{"id":1}],"next":")" + scheme + R"(://shop.example/list?p=2"})";
        auto response = answer(body);
        response.url = "https://shop.example/list";
        return end_of(read_page(*source, inputs_of(*source), first_page(*source), response));
    };
    CHECK(next_of(define(p), "https") == "https://shop.example/list?p=2");
    CHECK(next_of(define(p), "http") == "foreign_link");
    p.rest.clear();
    p.request = "{url: \"https://shop.example/list\"}";
    CHECK(next_of(define(p), "http") == "http://shop.example/list?p=2");
}

TEST_CASE("links of a page are relative to its <base>", "[unit][sources][pages][html]") {
    const auto source = define_yaml(R"yaml(
format: 1
id: test.books
kind: product
request: {url: "https://books.example/"}
pages: {by: link, next: {css: "a.next", attr: href}}
documents: {page: {parse: html}}
records: {from: page, css: article}
key: [field:url]
fields:
  title: {css: a, required: true}
  url: {css: a, attr: href, required: true}
)yaml");
    const auto read_with = [&](const std::string& head) {
        const auto html =
            head + "<article><a href='p/1'>One</a></article><a class=next href='?page=2'>next</a>";
        auto response = answer(html, 200, "text/html");
        response.url = "https://books.example/list/all";
        return read_page(*source, inputs_of(*source), first_page(*source), response);
    };
    auto page = read_with("<head><base target=x><base href='/shop/'><base href='/not/'></head>");
    REQUIRE(page.records.size() == 1);
    CHECK(page.records[0].text("url") == "https://books.example/shop/p/1");
    CHECK(page.next->url == "https://books.example/shop/?page=2");
    page = read_with("<head><base href='javascript:x'></head>");
    CHECK(page.records.at(0).text("url") == "https://books.example/list/p/1");
    page = read_with("");
    CHECK(page.records.at(0).text("url") == "https://books.example/list/p/1");
    CHECK(page.next->url == "https://books.example/list/all?page=2");
}

TEST_CASE("rows and the next link of an HTML list", "[unit][sources][pages][html]") {
    const auto source = define_yaml(R"yaml(
format: 1
id: test.books
kind: product
request: {url: "https://books.example/"}
pages: {by: link, next: {css: "li.next a", attr: href}, max: 50}
documents: {page: {parse: html}}
outcomes:
  - {when: {missing: {css: article}}, is: invalid, message: layout changed}
records: {from: page, css: article}
key: [field:url]
fields:
  title: {css: "h3 a", attr: title, required: true}
  url: {css: "h3 a", attr: href, required: true}
  price: {css: .price, currency: GBP, required: true}
  rating: {css: .stars, attr: class, clean: [{match: "stars (\\w+)"}, {map: {One: 1, Three: 3}}]}
  tags: {css: ".tags li"}
  offers: {rows: {css: "tr"}, fields: {size: {css: "td:first-child"}, amount: {xpath: "td[2]", type: money, currency: GBP}}}
  shop: {xpath: "string(//h1)"}
)yaml");
    const auto html =
        R"(<h1>Shop</h1><article><h3><a title="A Light" href="a.html">A…</a></h3><p class="price">£51.77</p>
<p class="stars Three"></p><ul class=tags><li>poems</li><li>new</li></ul><table><tr><td>S</td><td>£5</td></tr><tr><td>L</td><td>£7</td></tr></table></article>
<article><h3><a title="B" href="b.html">B</a></h3><p class="price">free</p></article>
<li class="next"><a href="/page-2.html">next</a></li>)";
    auto response = answer(html, 200, "text/html");
    response.url = "https://books.example/";
    const auto page = read_page(*source, inputs_of(*source), first_page(*source), response);
    INFO(page.message);
    REQUIRE(page.outcome == outcome::ok);
    REQUIRE(page.records.size() == 1);
    CHECK(
        to_json(page.records.front()) ==
        R"({"key":"https://books.example/a.html","title":"A Light","url":"https://books.example/a.html","price":"51.77",)"
        R"("rating":"3","tags":["poems","new"],"offers":[{"size":"S","amount":"5.00"},{"size":"L","amount":"7.00"}],"shop":"Shop"})");
    CHECK(page.next->url == "https://books.example/page-2.html");
    CHECK(read_page(*source, inputs_of(*source), first_page(*source), answer("<p>new</p>", 200, "text/html"))
              .message.find("layout changed") != std::string::npos);
    // bad input 26: JSON where a page is expected, and the other way round elsewhere
    CHECK(read_page(*source, inputs_of(*source), first_page(*source), answer("", 200, "text/html"))
              .message.find("layout") != std::string::npos);
}

TEST_CASE("a request may have a body of JSON, of a form or of text", "[unit][sources][request]") {
    parts p;
    p.input = "{word: {type: string, default: \"a \\\"b\\\"\"}, n: {type: integer, default: 3}, none: "
              "{type: string, optional: true}}";
    p.rest = "secrets: [token]\n";
    const auto body_of = [&](const std::string& body) {
        auto with_body = p;
        with_body.request = "{url: \"https://shop.example/q\", body: " + body + "}";
        const auto source = define(with_body);
        render_context context;
        context.secrets["token"] = "s3cret";
        const auto spec = render_request(*source, inputs_of(*source), context, first_page(*source)).value();
        CHECK(spec.method == "POST");
        return spec.headers.back().value + " " + spec.body + (spec.has_secrets ? " secret" : "");
    };
    CHECK(
        body_of(
            R"({json: {q: "{{ input.word }}", n: "{{ input.n }}", page: "{{ page.number }}", x: "{{ input.none }}", list: [1, true, "1"]}})") ==
        R"(application/json {"q":"a \"b\"","n":3,"page":1,"x":null,"list":[1,true,"1"]})");
    CHECK(body_of(R"({form: {q: "{{ input.word }}", none: "{{ input.none }}", t: "{{ secret.token }}"}})") ==
          "application/x-www-form-urlencoded q=a%20%22b%22&t=s3cret secret");
    CHECK(body_of(R"({text: "q={{ input.n }}", type: text/x-query})") == "text/x-query q=3");
    // What has no value yet is empty; the text does not end there.
    CHECK(body_of(
              R"({text: "after={{ cursor }};none={{ input.none }};q={{ input.n }}", type: text/x-query})") ==
          "text/x-query after=;none=;q=3");
}
