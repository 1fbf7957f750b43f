#include "sources_fixture.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::sources;
using namespace tiktrend::sources::testing;

namespace {

/// The URL, or the error's message.
std::string url(const parts& p, std::string_view input = "{}",
                const render_context& context = render_context{}) {
    const auto source = define(p);
    const auto request = render_request(*source, inputs_of(*source, input), context, first_page(*source));
    return request ? request->url : request.error().message;
}

parts asking(const std::string& request, const std::string& input = "{}") {
    parts p;
    p.request = request;
    p.input = input;
    return p;
}

} // namespace

TEST_CASE("values are escaped by where they stand in the URL", "[unit][sources][request]") {
    const auto p = asking("{url: \"https://a.example/{{ input.q }}/x?q={{ input.q }}\", query: {k: \"{{ "
                          "input.q }}\", \"a b\": 1}}",
                          "{q: {type: string}}");
    CHECK(url(p, R"({"q":"a/b?c#d&e=f+g %"})") ==
          "https://a.example/a%2Fb%3Fc%23d%26e%3Df%2Bg%20%25/x?q=a/b?c%23d%26e%3Df%2Bg%20%25&k=a/"
          "b?c%23d%26e%3Df%2Bg%20%25&a%20b=1");
    CHECK(url(p, R"({"q":"é"})").starts_with("https://a.example/%C3%A9/x?q=%C3%A9"));
    CHECK(url(p, R"({"q":".."})").starts_with("https://a.example/%2E%2E/x"));
}

TEST_CASE("pages, defaults and optional inputs reach the query", "[unit][sources][request]") {
    const auto p = asking("{url: \"https://a.example/\", query: {page: \"{{ page.number }}\", c: \"{{ "
                          "input.c }}\", n: \"{{ input.n }}\"}}",
                          "{c: {type: string, optional: true}, n: {type: integer, default: 5}}");
    CHECK(url(p) == "https://a.example/?page=1&n=5");
    CHECK(url(p, R"({"c":"x"})") == "https://a.example/?page=1&c=x&n=5");
}

TEST_CASE("a host variable cannot leave the host", "[unit][sources][request]") {
    const auto p = asking("{url: \"https://{{ input.sub }}.shop.example/\"}", "{sub: {type: string}}");
    CHECK(url(p, R"({"sub":"tea"})") == "https://tea.shop.example/");
    for (const auto* bad : {"evil.example/", "a@evil.example", "evil.example#", "evil.example?", "a b",
                            "a\\\\b", "a%2Fb", "ü"}) {
        CAPTURE(bad);
        CHECK(url(p, "{\"sub\":\"" + std::string{bad} + "\"}") ==
              "the value of \"sub\" may not be part of a host");
    }
    CHECK(url(p, R"({"sub":"evil.example:1"})") == "the value of \"sub\" may not be part of a host");
    CHECK(
        url(asking("{url: \"https://a.{{ input.sub }}/\"}", "{sub: {type: string}}"), R"({"sub":"b:99999"})")
            .find("is no absolute http or https URL") != std::string::npos);
    const auto whole = asking("{url: \"https://{{ input.sub }}/\"}", "{sub: {type: string}}");
    CHECK(url(whole, R"({"sub":"b.example:8443"})") == "https://b.example:8443/");
    for (const auto* bad : {"b:99999", "b:0", "b:", "b:1:2", ":1", "[::1", "b:1.c", "::1"}) {
        CAPTURE(bad);
        CHECK(url(whole, "{\"sub\":\"" + std::string{bad} + "\"}").find("is no absolute http or https URL") !=
              std::string::npos);
    }
}

TEST_CASE("the definition's hosts are the only ones asked", "[unit][sources][request]") {
    auto p = asking("{url: \"https://{{ input.shop }}/\"}", "{shop: {type: host}}");
    p.rest = "hosts: [shop.example, \"*.shop.example\"]\n";
    CHECK(url(p, R"({"shop":"shop.example"})") == "https://shop.example/");
    CHECK(url(p, R"({"shop":"a.shop.example:8443"})") == "https://a.shop.example:8443/");
    CHECK(url(p, R"({"shop":"evil.example"})") == "\"evil.example\" is not one of the hosts of test.shop");
}

TEST_CASE("origins and whole URLs begin a request", "[unit][sources][request]") {
    CHECK(url(asking("{url: \"{{ input.shop }}/api/list\"}", "{shop: {type: origin}}"),
              R"({"shop":"http://127.0.0.1:4000"})") == "http://127.0.0.1:4000/api/list");
    CHECK(url(asking("{url: \"{{ input.page }}\"}", "{page: {type: url}}"),
              R"({"page":"https://a.example/x?y=1#z"})") == "https://a.example/x?y=1");
}

TEST_CASE("the operator may open shops without TLS, a job may not", "[unit][sources][request]") {
    const auto p = asking("{url: \"https://{{ input.shop }}/\"}", "{shop: {type: host}}");
    render_context context;
    context.plain_http_hosts = {"127.0.0.1:4000", "localhost"};
    CHECK(url(p, R"({"shop":"127.0.0.1:4000"})", context) == "http://127.0.0.1:4000/");
    CHECK(url(p, R"({"shop":"127.0.0.1:4001"})", context) == "https://127.0.0.1:4001/");
    CHECK(url(p, R"({"shop":"localhost:9"})", context) == "http://localhost:9/");
    CHECK(url(p, R"({"shop":"shop.example"})", context) == "https://shop.example/");
}

TEST_CASE("secrets come from the operator and are hidden from logs", "[unit][sources][request]") {
    parts p = asking(
        "{url: \"https://a.example/v/{{ secret.token }}\", query: {key: \"{{ secret.token }}\", q: x}, "
        "headers: {Cookie: \"s={{ secret.token }}\", accept: application/json}}");
    p.rest = "secrets: [token]\n";
    const auto source = define(p);
    render_context context;
    auto request = render_request(*source, inputs_of(*source), context, first_page(*source));
    REQUIRE(request.has_error());
    CHECK(request.error().code == render_errc::missing_secret);
    CHECK(request.error().message == "the operator gave no value for the secret \"token\"");

    context.secrets["token"] = "s3cr3t";
    request = render_request(*source, inputs_of(*source), context, first_page(*source));
    REQUIRE(request.has_value());
    CHECK(request->url == "https://a.example/v/s3cr3t?key=s3cr3t&q=x");
    CHECK(request->display_url == "https://a.example/v/***?key=***&q=x");
    CHECK(request->has_secrets);
    REQUIRE(request->headers.size() == 2);
    CHECK(request->headers[0].name == "cookie");
    CHECK(request->headers[0].value == "s=s3cr3t");
    CHECK(request->headers[0].is_secret);
    CHECK_FALSE(request->headers[1].is_secret);

    context.secrets["token"] = "line\r\nbreak";
    request = render_request(*source, inputs_of(*source), context, first_page(*source));
    REQUIRE(request.has_error());
    CHECK(request.error().code == render_errc::bad_value);
    CHECK(request.error().message.find("break") == std::string::npos);
}

TEST_CASE("a page state survives its JSON form", "[unit][sources][request]") {
    page_state state;
    state.number = 7;
    state.index = 6;
    state.items = 1500;
    state.page_digests = {0, 1, 0xFFFFFFFFFFFFFFFF, 0x0123456789ABCDEF};
    const auto read = page_state::from_json(state.to_json());
    REQUIRE(read);
    CHECK(read->number == 7);
    CHECK(read->index == 6);
    CHECK(read->items == 1500);
    CHECK(read->page_digests == state.page_digests);
    for (const auto* bad :
         {"", "{}", "[]", "null", R"({"number":-1,"index":0,"items":0,"pages":""})",
          R"({"number":1,"index":0,"items":0,"pages":"zz"})", R"({"number":1,"index":0,"items":0})",
          R"({"number":1,"index":0,"items":0,"pages":"000000000000000g"})"})
        CHECK_FALSE(page_state::from_json(bad));
}
